//! How much work a rendering was, for the test that bounds it: counted in steps, since a clock would measure the machine
//! too. Outside of tests nothing is counted.

#[cfg(test)]
use std::cell::Cell;

#[cfg(test)]
thread_local! {
    static STEPS: Cell<usize> = const { Cell::new(0) };
}

/// So many letters, lines or names were looked at.
#[cfg(not(test))]
pub(super) fn add(_: usize) {}

/// So many letters, lines or names were looked at.
#[cfg(test)]
pub(super) fn add(steps: usize) {
    STEPS.with(|count| count.set(count.get() + steps));
}

/// What `render` gives, and in how many steps.
#[cfg(test)]
pub(super) fn count<T>(render: impl FnOnce() -> T) -> (T, usize) {
    STEPS.with(|count| count.set(0));
    let result = render();
    (result, STEPS.with(Cell::get))
}
