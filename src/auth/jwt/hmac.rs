//! The cryptography of `jsonwebtoken`, for HS256, HS384 and HS512 alone.
//!
//! Its feature `rust_crypto` adds RSA and elliptic curves: 29 crates that no token of ours uses.

use hmac::{Hmac, KeyInit, Mac};
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey,
    crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils},
    errors::{Error, ErrorKind},
};
use sha2::{Sha256, Sha384, Sha512};
use signature::{Signer, Verifier};

static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: signer,
    verifier_factory: verifier,
    // Only JSON Web Keys need these.
    key_utils: KeyUtils::new_unimplemented(),
};

/// Makes this the cryptography of `jsonwebtoken` in this process. May be called any number of times, and must be before
/// the first token is signed or verified: without a provider `jsonwebtoken` panics.
pub fn install() {
    // The error means that it is installed already.
    let _ = PROVIDER.install_default();
}

/// A key for one of the algorithms. Signs and verifies.
struct Key<M> {
    algorithm: Algorithm,
    mac: M,
}

impl<M: KeyInit> Key<M> {
    fn boxed(algorithm: Algorithm, secret: &[u8]) -> Result<Box<Self>, Error> {
        let mac = M::new_from_slice(secret).map_err(|_| ErrorKind::InvalidKeyFormat)?;
        Ok(Box::new(Self { algorithm, mac }))
    }
}

impl<M: Mac + Clone> Signer<Vec<u8>> for Key<M> {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, signature::Error> {
        Ok(self.mac.clone().chain_update(message).finalize().into_bytes().to_vec())
    }
}

impl<M: Mac + Clone> Verifier<Vec<u8>> for Key<M> {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), signature::Error> {
        // In constant time.
        let verified = self.mac.clone().chain_update(message).verify_slice(signature);
        verified.map_err(|_| signature::Error::new())
    }
}

impl<M: Mac + Clone> JwtSigner for Key<M> {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

impl<M: Mac + Clone> JwtVerifier for Key<M> {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that a provider has")]
fn signer(algorithm: &Algorithm, key: &EncodingKey) -> Result<Box<dyn JwtSigner>, Error> {
    if key.family() != algorithm.family() {
        return Err(ErrorKind::InvalidKeyFormat.into());
    }
    let secret = key.as_bytes();
    Ok(match algorithm {
        Algorithm::HS256 => Key::<Hmac<Sha256>>::boxed(*algorithm, secret)?,
        Algorithm::HS384 => Key::<Hmac<Sha384>>::boxed(*algorithm, secret)?,
        Algorithm::HS512 => Key::<Hmac<Sha512>>::boxed(*algorithm, secret)?,
        _ => return Err(ErrorKind::InvalidAlgorithm.into()),
    })
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that a provider has")]
fn verifier(algorithm: &Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>, Error> {
    if key.family() != algorithm.family() {
        return Err(ErrorKind::InvalidKeyFormat.into());
    }
    let secret = key.try_get_as_bytes()?;
    Ok(match algorithm {
        Algorithm::HS256 => Key::<Hmac<Sha256>>::boxed(*algorithm, secret)?,
        Algorithm::HS384 => Key::<Hmac<Sha384>>::boxed(*algorithm, secret)?,
        Algorithm::HS512 => Key::<Hmac<Sha512>>::boxed(*algorithm, secret)?,
        _ => return Err(ErrorKind::InvalidAlgorithm.into()),
    })
}
