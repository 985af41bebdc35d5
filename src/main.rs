//! Liao.
fn main() {}
