// Counts to ten. Not buffered: System.out flushes after each println.
//
// java examples/count/Count.java

class Count {
	public static void main(String[] args) throws InterruptedException {
		for (int n = 1; n <= 10; n++) {
			System.out.println(n);
			Thread.sleep(300);
		}
	}
}
