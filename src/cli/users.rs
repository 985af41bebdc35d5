//! The commands on accounts: `liao users` and `liao create-developer-group`.
//!
//! They open the database themselves, whether or not a server is running.

use chat::{
    Chat, Error,
    model::{Code, FieldError, Problem},
    service::accounts::DEVELOPER,
};
use secrecy::{ExposeSecret, SecretString};

use super::{NewPassword, UsersCommand, password};

/// Runs a command and returns a sentence about its result.
///
/// # Errors
/// One sentence per error, each on its own line.
pub async fn run(chat: &Chat, command: UsersCommand) -> Result<String, String> {
    match command {
        UsersCommand::Create { username, first_name, last_name, groups } => {
            let password = ask(&username).await?;
            let made = chat.create_user(&username, password.expose_secret(), &first_name, &last_name).await;
            let name = made.map_err(|error| sentence(&error, &username))?.username;
            for group in &groups {
                chat.add_to_group(&name, group).await.map_err(|error| sentence(&error, &name))?;
            }
            Ok(match groups.as_slice() {
                [] => format!("The account {name} was made."),
                groups => format!("The account {name} was made, in {}.", groups.join(", ")),
            })
        }
        UsersCommand::Password { username } => {
            let password = ask(&username).await?;
            let changed = chat.set_password(&username, password.expose_secret()).await;
            let name = changed.map_err(|error| sentence(&error, &username))?.username;
            Ok(format!("{name} has a new password; its sessions in browsers have ended."))
        }
        UsersCommand::Deactivate { username } => {
            let changed = chat.set_active(&username, false).await;
            let name = changed.map_err(|error| sentence(&error, &username))?.username;
            Ok(format!("The account {name} was deactivated."))
        }
        UsersCommand::Activate { username } => {
            let changed = chat.set_active(&username, true).await;
            let name = changed.map_err(|error| sentence(&error, &username))?.username;
            Ok(format!("The account {name} is active again; it has to sign in anew."))
        }
    }
}

/// Creates the group `developer` and its account if they are missing. Returns a sentence about what was created, with
/// the password of a new account unless it was typed.
///
/// # Errors
/// One sentence.
pub async fn create_developer_group(chat: &Chat, password: NewPassword) -> Result<String, String> {
    let secret = if password.is_prompted { ask(DEVELOPER).await? } else { password::generate()? };
    let done = chat.create_developer_group(secret.expose_secret()).await;
    let done = done.map_err(|error| sentence(&error, DEVELOPER))?;
    let mut did = Vec::new();
    if done.made_group {
        did.push(format!("made the group {DEVELOPER}"));
    }
    if done.made_account && password.is_prompted {
        did.push(format!("made the account {DEVELOPER}"));
    } else if done.made_account {
        did.push(format!("made the account {DEVELOPER} with the password {}", secret.expose_secret()));
    }
    if done.joined {
        did.push("put the account into the group".to_owned());
    }
    let mut summary = match did.as_slice() {
        [] => format!("Nothing to do: the account {DEVELOPER} is in the group {DEVELOPER}."),
        did => format!("Done: {}.", did.join(", ")),
    };
    if !done.made_account {
        summary.push_str(" It keeps its password; 'liao users password developer' sets another.");
    }
    Ok(summary)
}

/// Prompts on a blocking thread, since it waits for the user.
async fn ask(username: &str) -> Result<SecretString, String> {
    let username = username.to_owned();
    let asked = tokio::task::spawn_blocking(move || password::prompt(&username)).await;
    asked.map_err(|error| format!("The password cannot be read: {error}."))?
}

fn sentence(error: &Error, username: &str) -> String {
    match error.failure() {
        failure if failure.code == Code::UserNotFound => format!("There is no account {username}."),
        failure if failure.code == Code::Invalid => {
            failure.fields.iter().map(field_error).collect::<Vec<_>>().join("\n")
        }
        _ => format!("That could not be done: {error}."),
    }
}

fn field_error(field: &FieldError) -> String {
    let name = match field.field.as_str() {
        "username" => "The username",
        "password" => "The password",
        "first_name" => "The first name",
        "last_name" => "The last name",
        "group" => "The group's name",
        other => other,
    };
    match field.problem {
        Problem::Required | Problem::Null | Problem::Blank => format!("{name} must not be empty."),
        Problem::TooShort { min } => format!("{name} must have at least {min} characters."),
        Problem::TooLong { max } => format!("{name} must have at most {max} characters."),
        Problem::BadUsername => format!("{name} may have letters, digits and @ . + - _ only."),
        Problem::UsernameTaken => format!("{name} is taken."),
        Problem::ConfusableUsername => format!("{name} looks like that of another account."),
        Problem::MixedScripts => format!("{name} mixes scripts whose letters look alike."),
        Problem::WeakPassword => {
            format!("{name} is too easy to guess: it is common, all digits, or like the username.")
        }
        Problem::BadCharacter => format!("{name} has a character that may not be there."),
        Problem::OuterSpace => format!("{name} must not begin or end with a space."),
        // Errors of other fields do not occur here.
        _ => format!("{name} cannot be used."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_field_error_is_a_sentence_on_its_own_line() {
        let error = Error::fields(vec![
            FieldError::new("username", Problem::UsernameTaken),
            FieldError::new("password", Problem::TooShort { min: 8 }),
        ]);
        let expected = "The username is taken.\nThe password must have at least 8 characters.";
        assert_eq!(sentence(&error, "bob"), expected);
    }

    #[test]
    fn an_unknown_account_is_named() {
        assert_eq!(sentence(&Error::from(Code::UserNotFound), "bob"), "There is no account bob.");
    }
}
