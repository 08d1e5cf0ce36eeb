// Not buffered: a PrintStream made with true flushes after each println.
//
// java examples/greeter/Greeter.java

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;

class Greeter {
	public static void main(String[] args) throws IOException {
		// Messages are UTF-8, whatever the locale of the server says.
		var in = new BufferedReader(new InputStreamReader(System.in, UTF_8));
		var out = new PrintStream(System.out, true, UTF_8);
		for (String name; (name = in.readLine()) != null; ) {
			out.println("Hello, " + name + "!");
		}
	}
}
