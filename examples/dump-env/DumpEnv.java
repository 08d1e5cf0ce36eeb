// What the program is told: System.getenv(), here a variable a line.
//
// java examples/dump-env/DumpEnv.java

import java.util.TreeMap;

class DumpEnv {
	public static void main(String[] args) {
		new TreeMap<>(System.getenv()).forEach((name, value) -> System.out.println(name + "=" + value));
	}
}
