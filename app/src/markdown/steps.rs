//! Counts the steps of a rendering, for the test that limits them; a clock would measure the machine too. Outside of
//! tests it does nothing.

#[cfg(test)]
use std::cell::Cell;

#[cfg(test)]
thread_local! {
    static STEPS: Cell<usize> = const { Cell::new(0) };
}

/// Counts characters, lines or names that were looked at.
#[cfg(not(test))]
pub(super) fn add(_: usize) {}

/// Counts characters, lines or names that were looked at.
#[cfg(test)]
pub(super) fn add(steps: usize) {
    STEPS.with(|count| count.set(count.get() + steps));
}

/// Runs `render` and returns its result and the number of steps.
#[cfg(test)]
pub(super) fn count<T>(render: impl FnOnce() -> T) -> (T, usize) {
    STEPS.with(|count| count.set(0));
    let result = render();
    (result, STEPS.with(Cell::get))
}
