// Not buffered: println! flushes at the end of each line.
//
// rustc -o /tmp/greeter examples/greeter/greeter.rs

use std::io::{self, BufRead};

fn main() -> io::Result<()> {
    for name in io::stdin().lock().lines() {
        println!("Hello, {}!", name?);
    }
    Ok(())
}
