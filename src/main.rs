//! The `liao` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    liao::cli::main(liao::run)
}
