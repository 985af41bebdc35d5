//! Password hashing and verification.
//!
//! New hashes are Argon2id in PHC strings. Django's `pbkdf2_sha256$…` is also accepted and reported as
//! [`PasswordMatch::RightButOutdated`], so that a sign-in can replace the hash.
//!
//! Hashing is expensive by design. The number of concurrent hashes and of waiting callers is limited; further callers
//! get [`Error::Overloaded`].

use std::{num::NonZero, sync::LazyLock, thread::available_parallelism};

use argon2::{
    Algorithm, Argon2, Block, Params, Version,
    password_hash::phc::{Output, ParamsString, PasswordHash, Salt},
};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use tokio::sync::Semaphore;

use crate::error::{Error, Result};

/// OWASP's first recommendation for Argon2id: 19 MiB, two passes, one lane.
const PARAMS: Params = Params::DEFAULT;
/// A hash with [`PARAMS`] that no password matches, compared when the user does not exist.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5IGhhcyB0aGlz$\
    AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
/// Maximum number of concurrent hashes, on any machine: each takes 19 MiB.
const MAX_CONCURRENT: usize = 4;
/// Maximum number of waiting callers.
const MAX_WAITING: usize = 512;
/// A stored hash with more rounds is treated as corrupt: it would occupy a core for seconds.
const MAX_ROUNDS: u32 = 10_000_000;
/// Larger than any block glibc allocates from its heap; see [`workspace`].
const ALWAYS_MAPPED: usize = 33 * 1024 * 1024;

static HASHING: LazyLock<Semaphore> = LazyLock::new(|| {
    Semaphore::new(available_parallelism().map_or(1, NonZero::get).clamp(1, MAX_CONCURRENT))
});
static WAITING: Semaphore = Semaphore::const_new(MAX_WAITING);

/// The result of comparing a password with a stored hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordMatch {
    /// The password is wrong.
    Wrong,
    /// The password is right.
    Right,
    /// The password is right, and the stored hash should be replaced by one with the current algorithm.
    RightButOutdated,
}

/// Hashes a new password.
///
/// # Errors
/// [`Error::Overloaded`] when too many callers wait, [`Error::Hashing`] when out of memory.
pub async fn hash(password: &str) -> Result<String> {
    let password = password.to_owned();
    run_limited(move || make(password.as_bytes())).await?
}

/// Compares `password` with the hash `stored`.
///
/// Without a stored hash (unknown user) it takes the same time and returns [`PasswordMatch::Wrong`].
///
/// # Errors
/// [`Error::Overloaded`] when too many callers wait, [`Error::Hashing`] when out of memory.
pub async fn verify(password: &str, stored: Option<&str>) -> Result<PasswordMatch> {
    let password = password.to_owned();
    let stored = stored.map(str::to_owned);
    run_limited(move || compare(password.as_bytes(), stored.as_deref())).await?
}

/// Runs `work` on a blocking thread when a permit is free. The permit is held until the work ends, even if the caller
/// is cancelled.
async fn run_limited<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    let waiting = WAITING.try_acquire().map_err(|_| Error::Overloaded)?;
    let permit = HASHING.acquire().await.map_err(|_| Error::Stopping)?;
    drop(waiting);
    tokio::task::spawn_blocking(move || {
        let done = work();
        drop(permit);
        done
    })
    .await
    .map_err(hashing)
}

fn make(password: &[u8]) -> Result<String> {
    let salt = Salt::generate();
    let hash = PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(PARAMS).map_err(hashing)?,
        salt: Some(salt),
        hash: Some(argon2id(password, &salt, PARAMS, Version::V0x13, Params::DEFAULT_OUTPUT_LEN)?),
    };
    Ok(hash.to_string())
}

fn compare(password: &[u8], stored: Option<&str>) -> Result<PasswordMatch> {
    let verdict = match stored {
        Some(django) if django.starts_with("pbkdf2_sha256$") => compare_django(password, django)
            .map(|right| if right { PasswordMatch::RightButOutdated } else { PasswordMatch::Wrong }),
        Some(phc) => compare_phc(password, phc)?,
        None => None,
    };
    if let Some(verdict) = verdict {
        return Ok(verdict);
    }
    // An unknown user, or an unreadable hash (Django's unusable '!…'): take the same time as for a wrong password.
    compare_phc(password, NOBODY)?;
    Ok(PasswordMatch::Wrong)
}

/// Returns `None` if `stored` is not an Argon2id hash.
fn compare_phc(password: &[u8], stored: &str) -> Result<Option<PasswordMatch>> {
    let Ok(stored) = PasswordHash::new(stored) else { return Ok(None) };
    let version = stored.version.map_or(Ok(Version::V0x13), Version::try_from);
    let (Ok(params), Ok(version), Some(salt), Some(expected)) =
        (Params::try_from(&stored), version, stored.salt, stored.hash)
    else {
        return Ok(None);
    };
    if stored.algorithm != Algorithm::Argon2id.ident() {
        return Ok(None);
    }
    let current = ParamsString::try_from(PARAMS).map_err(hashing)? == stored.params;
    // `Output` is compared in constant time.
    let right = argon2id(password, &salt, params, version, expected.len())? == expected;
    Ok(Some(match (right, current) {
        (false, _) => PasswordMatch::Wrong,
        (true, true) => PasswordMatch::Right,
        (true, false) => PasswordMatch::RightButOutdated,
    }))
}

fn argon2id(password: &[u8], salt: &[u8], params: Params, version: Version, length: usize) -> Result<Output> {
    let mut memory = workspace(params.block_count());
    let mut output = [0; Output::MAX_LENGTH];
    let output = output.get_mut(..length).ok_or_else(|| hashing("the stored hash is too long"))?;
    Argon2::new(Algorithm::Argon2id, version, params)
        .hash_password_into_with_memory(password, salt, output, &mut memory)
        .map_err(hashing)?;
    Output::new(output).map_err(hashing)
}

/// Allocates the memory of one hash.
///
/// The argon2 crate would allocate exactly the size needed, and glibc would keep each block: after fifty sign-ins the
/// process has 800 MiB. A request above 32 MiB is always a separate mapping, which is returned when freed; untouched
/// pages cost nothing.
fn workspace(blocks: usize) -> Vec<Block> {
    let mut memory = Vec::with_capacity(blocks.max(ALWAYS_MAPPED / Block::SIZE));
    memory.resize(blocks, Block::default());
    memory
}

/// Compares with `pbkdf2_sha256$<rounds>$<salt>$<base64>`, Django's format; `None` if `stored` has another format.
fn compare_django(password: &[u8], stored: &str) -> Option<bool> {
    let mut parts = stored.splitn(4, '$').skip(1);
    let rounds = parts.next()?.parse().ok().filter(|rounds| *rounds <= MAX_ROUNDS)?;
    let salt = parts.next()?;
    let expected = Output::new(&BASE64.decode(parts.next()?).ok()?).ok()?;
    let params = pbkdf2::Params::new_with_output_len(rounds, expected.len()).ok()?;
    let mut output = [0; Output::MAX_LENGTH];
    let output = output.get_mut(..expected.len())?;
    pbkdf2::Pbkdf2::new(pbkdf2::Algorithm::Pbkdf2Sha256, params).hash_password_into(
        password,
        salt.as_bytes(),
        output,
    );
    Some(Output::new(output).ok()? == expected)
}

fn hashing(error: impl std::fmt::Display) -> Error {
    Error::Hashing(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made by Django 5.2's `make_password("correct horse")`.
    const DJANGO: &str =
        "pbkdf2_sha256$1000000$emv0lNRZJzLtTynVVJ2EC5$KXvEgcX6bVpdCpu0lIqa7Oveo0qAkpFheET54Ing+vI=";

    #[test]
    fn a_new_hash_is_argon2id_of_the_present_cost() {
        let hash = make(b"correct horse").expect("hashed");
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert_eq!(compare(b"correct horse", Some(&hash)).expect("compared"), PasswordMatch::Right);
        assert_eq!(compare(b"correct hors", Some(&hash)).expect("compared"), PasswordMatch::Wrong);
        assert_ne!(hash, make(b"correct horse").expect("hashed"), "the salt is new each time");
    }

    #[test]
    fn unknown_user_costs_as_much_as_a_known_one() {
        let nobody = PasswordHash::new(NOBODY).expect("a PHC string");
        assert_eq!(nobody.params, ParamsString::try_from(PARAMS).expect("parameters"));
        assert_eq!(compare_phc(b"", NOBODY).expect("compared"), Some(PasswordMatch::Wrong));
        assert_eq!(compare(b"anything", None).expect("compared"), PasswordMatch::Wrong);
    }

    #[test]
    fn a_hash_of_another_implementation_and_cost_verifies_and_is_old() {
        // Made by the reference implementation in C, through argon2-cffi.
        let reference =
            "$argon2id$v=19$m=1024,t=3,p=4$y+dKt5e7DYnww1m1GxLB3Q$Mq46+nS0pd50WtDoEAHPjWUqB4b4pktW";
        assert_eq!(compare(b"password", Some(reference)).expect("compared"), PasswordMatch::RightButOutdated);
    }

    #[test]
    fn djangos_hash_verifies_and_is_old() {
        assert_eq!(
            compare(b"correct horse", Some(DJANGO)).expect("compared"),
            PasswordMatch::RightButOutdated
        );
        assert_eq!(compare(b"Correct horse", Some(DJANGO)).expect("compared"), PasswordMatch::Wrong);
    }

    #[test]
    fn malformed_hashes_match_no_password() {
        for stored in [
            "",
            "!unusable",
            "plain",
            "pbkdf2_sha256$",
            "pbkdf2_sha256$many$salt$AAAA",
            "pbkdf2_sha256$4000000000$saltsalt$GpZ3sK/oH9p7VIiV56G/64Zo/8GaUw434IimaPqxwCo=",
            "pbkdf2_sha256$1000$salt$!!!",
            "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5",
            "$argon2i$v=19$m=16,t=2,p=1$c29tZXNhbHQ$GpZ3sK/oH9p7VIiV56G/64Zo/8GaUw434IimaPqxwCo",
        ] {
            assert_eq!(compare(b"plain", Some(stored)).expect("compared"), PasswordMatch::Wrong, "{stored}");
        }
    }
}
