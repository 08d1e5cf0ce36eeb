// Counts to ten. Not buffered: println! flushes at the end of each line.
//
// rustc -o /tmp/count examples/count/count.rs

use std::{thread, time::Duration};

fn main() {
    for n in 1..=10 {
        println!("{n}");
        thread::sleep(Duration::from_millis(300));
    }
}
