// What the program is told: env::var(NAME), or all of env::vars_os(), here
// sorted and a variable a line.
//
// rustc -o /tmp/dump-env examples/dump-env/dump-env.rs

use std::{collections::BTreeMap, env};

fn main() {
    let vars: BTreeMap<_, _> = env::vars_os().collect();
    for (name, value) in vars {
        println!("{}={}", name.to_string_lossy(), value.to_string_lossy());
    }
}
