//! Passwords: how they are hashed, and how a stored hash is compared.
//!
//! New hashes are Argon2id in PHC strings. Django's `pbkdf2_sha256$…` verifies too
//! and is reported as [`Verdict::RightButOld`], so that a sign-in can replace it.
//! Nothing here knows of accounts.
//!
//! Hashing is meant to be dear: as many run at once as there are cores to spare,
//! some wait, and whoever comes after those is told to try again.

use std::{num::NonZero, sync::LazyLock, thread::available_parallelism};

use argon2::{
    Algorithm, Argon2, Block, Params, Version,
    password_hash::phc::{Output, ParamsString, PasswordHash, Salt},
};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use tokio::sync::Semaphore;

use crate::error::{Error, Result};

/// OWASP's first choice for Argon2id: 19 MiB, two passes, one lane.
const PARAMS: Params = Params::DEFAULT;
/// What [`PARAMS`] look like, for comparing with a password that nobody has.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5IGhhcyB0aGlz$\
    AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
/// Hash no more than this many at once, whatever the machine: each takes 19 MiB.
const MOST_AT_ONCE: usize = 4;
/// Callers that may wait for their turn; one more is told that we are overloaded.
const MOST_WAITING: usize = 512;
/// A stored hash of more rounds than this is damage, not a password: it would keep a core for seconds.
const MOST_ROUNDS: u32 = 10_000_000;
/// More than glibc ever takes from its own heap; see [`workspace`].
const ALWAYS_MAPPED: usize = 33 * 1024 * 1024;

static TURNS: LazyLock<Semaphore> =
    LazyLock::new(|| Semaphore::new(available_parallelism().map_or(1, NonZero::get).clamp(1, MOST_AT_ONCE)));
static PLACES: Semaphore = Semaphore::const_new(MOST_WAITING);

/// How a password compares with what is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Not that one.
    Wrong,
    /// That one.
    Right,
    /// That one, and the stored hash is of a kind that we no longer make.
    RightButOld,
}

/// Hashes a new password.
///
/// # Errors
/// [`Error::Overloaded`] when too many wait, [`Error::Hashing`] when there is no memory.
pub async fn hash(password: &str) -> Result<String> {
    let password = password.to_owned();
    in_turn(move || make(password.as_bytes())).await?
}

/// Compares `password` with `stored`. Without a stored hash (nobody of that name)
/// it takes as long as with one and the verdict is [`Verdict::Wrong`].
///
/// # Errors
/// [`Error::Overloaded`] when too many wait, [`Error::Hashing`] when there is no memory.
pub async fn verify(password: &str, stored: Option<&str>) -> Result<Verdict> {
    let password = password.to_owned();
    let stored = stored.map(str::to_owned);
    in_turn(move || compare(password.as_bytes(), stored.as_deref())).await?
}

/// Runs `work` off the runtime's threads when its turn comes. The turn ends with the
/// work itself: a caller that goes away meanwhile does not make room early.
async fn in_turn<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    let place = PLACES.try_acquire().map_err(|_| Error::Overloaded)?;
    let turn = TURNS.acquire().await.map_err(|_| Error::Stopping)?;
    drop(place);
    tokio::task::spawn_blocking(move || {
        let done = work();
        drop(turn);
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

fn compare(password: &[u8], stored: Option<&str>) -> Result<Verdict> {
    let verdict = match stored {
        Some(django) if django.starts_with("pbkdf2_sha256$") => compare_django(password, django)
            .map(|right| if right { Verdict::RightButOld } else { Verdict::Wrong }),
        Some(phc) => compare_phc(password, phc)?,
        None => None,
    };
    if let Some(verdict) = verdict {
        return Ok(verdict);
    }
    // Nobody, or a hash we cannot read (Django's unusable '!…'): answer no sooner.
    compare_phc(password, NOBODY)?;
    Ok(Verdict::Wrong)
}

/// `None` when `stored` is no Argon2id hash.
fn compare_phc(password: &[u8], stored: &str) -> Result<Option<Verdict>> {
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
    // Both sides are `Output`, whose equality takes the same time wherever they differ.
    let right = argon2id(password, &salt, params, version, expected.len())? == expected;
    Ok(Some(match (right, current) {
        (false, _) => Verdict::Wrong,
        (true, true) => Verdict::Right,
        (true, false) => Verdict::RightButOld,
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

/// The memory that one hash fills. Left to itself the crate asks for exactly that, and
/// glibc keeps it, a new piece for each hash: after fifty sign-ins the process is 800 MiB
/// large. A request past 32 MiB is always a mapping of its own, which goes back at once;
/// the pages that nobody touches cost nothing.
fn workspace(blocks: usize) -> Vec<Block> {
    let mut memory = Vec::with_capacity(blocks.max(ALWAYS_MAPPED / Block::SIZE));
    memory.resize(blocks, Block::default());
    memory
}

/// `pbkdf2_sha256$<rounds>$<salt>$<base64>`, as Django stores it; `None` when it is not that.
fn compare_django(password: &[u8], stored: &str) -> Option<bool> {
    let mut parts = stored.splitn(4, '$').skip(1);
    let rounds = parts.next()?.parse().ok().filter(|rounds| *rounds <= MOST_ROUNDS)?;
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
        assert_eq!(compare(b"correct horse", Some(&hash)).expect("compared"), Verdict::Right);
        assert_eq!(compare(b"correct hors", Some(&hash)).expect("compared"), Verdict::Wrong);
        assert_ne!(hash, make(b"correct horse").expect("hashed"), "the salt is new each time");
    }

    #[test]
    fn nobodys_hash_costs_what_a_persons_does() {
        let nobody = PasswordHash::new(NOBODY).expect("a PHC string");
        assert_eq!(nobody.params, ParamsString::try_from(PARAMS).expect("parameters"));
        assert_eq!(compare_phc(b"", NOBODY).expect("compared"), Some(Verdict::Wrong));
        assert_eq!(compare(b"anything", None).expect("compared"), Verdict::Wrong);
    }

    #[test]
    fn a_hash_of_another_implementation_and_cost_verifies_and_is_old() {
        // Made by the reference implementation in C, through argon2-cffi.
        let reference =
            "$argon2id$v=19$m=1024,t=3,p=4$y+dKt5e7DYnww1m1GxLB3Q$Mq46+nS0pd50WtDoEAHPjWUqB4b4pktW";
        assert_eq!(compare(b"password", Some(reference)).expect("compared"), Verdict::RightButOld);
    }

    #[test]
    fn djangos_hash_verifies_and_is_old() {
        assert_eq!(compare(b"correct horse", Some(DJANGO)).expect("compared"), Verdict::RightButOld);
        assert_eq!(compare(b"Correct horse", Some(DJANGO)).expect("compared"), Verdict::Wrong);
    }

    #[test]
    fn what_is_no_hash_is_nobodys_password() {
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
            assert_eq!(compare(b"plain", Some(stored)).expect("compared"), Verdict::Wrong, "{stored}");
        }
    }
}
