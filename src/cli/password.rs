//! A password for an account: read from whoever runs a command, or drawn.

use std::io::{self, BufRead, IsTerminal};

use secrecy::{ExposeSecret, SecretString};

/// Asks twice at a terminal, without showing what is typed; else takes the first line of standard input, for scripts.
///
/// # Errors
/// One sentence: nothing was given, the two differ, or it could not be read.
pub fn prompt(username: &str) -> Result<SecretString, String> {
    let unreadable = |error: io::Error| format!("The password cannot be read: {error}.");
    if !io::stdin().is_terminal() {
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line).map_err(unreadable)?;
        return first_line(line);
    }
    let ask = |prompt: String| rpassword::prompt_password(prompt).map(SecretString::from).map_err(unreadable);
    let password = ask(format!("Password for {username}: "))?;
    let again = ask("Once more: ".to_owned())?;
    if password.expose_secret() != again.expose_secret() {
        return Err("The two passwords differ; nothing was changed.".to_owned());
    }
    first_line(password.expose_secret().to_owned())
}

/// A new password of twenty characters, 100 bits that nobody can guess.
///
/// # Errors
/// One sentence: the system gives no random numbers.
pub fn generate() -> Result<SecretString, String> {
    // 32 that one can read aloud and copy by hand: neither 0 nor o, neither 1 nor l.
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut bytes = [0_u8; 20];
    getrandom::fill(&mut bytes).map_err(|error| format!("No password can be drawn: {error}."))?;
    let drawn: String = bytes.iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect();
    Ok(drawn.into())
}

fn first_line(mut line: String) -> Result<SecretString, String> {
    line.truncate(line.trim_end_matches(['\r', '\n']).len());
    if line.is_empty() {
        return Err("A password is needed: type it when asked, or give it on standard input.".to_owned());
    }
    Ok(line.into())
}
