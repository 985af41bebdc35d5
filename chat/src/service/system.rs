//! State of the system as a whole, shared by all its servers.

use super::Chat;
use crate::{error::Result, store::watch};

/// Whether this server's secret key is the one that the other servers on the database use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyAgreement {
    /// It is, or there was none before.
    Same,
    /// It was not; from now on it is the system's key.
    Changed,
    /// It is not.
    Another,
}

impl Chat {
    /// Compares `check`, which this server derived from its secret key, with the stored one. `is_chosen`: an operator
    /// set the key, so it replaces the system's.
    ///
    /// # Errors
    /// A failing database.
    pub async fn agree_on_key(&self, check: &str, is_chosen: bool) -> Result<KeyAgreement> {
        let mut tx = self.store().write().await?;
        // Locked: if two new servers start at once, the second finds the first one's key.
        let agreed = match watch::lock_system(&mut tx).await?.key_check {
            Some(known) if known == check => KeyAgreement::Same,
            Some(_) if !is_chosen => KeyAgreement::Another,
            known => {
                watch::set_key_check(&mut tx, check).await?;
                if known.is_some() { KeyAgreement::Changed } else { KeyAgreement::Same }
            }
        };
        tx.commit().await?;
        Ok(agreed)
    }
}
