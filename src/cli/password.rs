//! The password of an account: prompted for, or generated.

use std::io::{self, BufRead, IsTerminal};

use secrecy::{ExposeSecret, SecretString};

/// Prompts twice at a terminal without echo. Otherwise reads the first line of standard input, for scripts.
///
/// # Errors
/// One sentence: the password is empty, the two differ, or it could not be read.
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

/// A random password of twenty characters, with 100 bits of entropy.
///
/// # Errors
/// One sentence: the system has no random numbers.
pub fn generate() -> Result<SecretString, String> {
    // Without characters that are easily confused: 0, o, 1 and l.
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
