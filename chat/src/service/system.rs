//! What holds for the system as a whole, however many servers it has.

use super::Chat;
use crate::{error::Result, store::watch};

/// Whether a server's secret key is the one that the others on its database use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyAgreement {
    /// It is, or there was none before.
    Same,
    /// It was not, and is the system's from now on.
    Changed,
    /// It is not.
    Another,
}

impl Chat {
    /// Compares what this server's secret key makes of a fixed text with what the key of the
    /// system makes of it. `is_chosen`: an operator set the key, and means it.
    ///
    /// # Errors
    /// A failing database.
    pub async fn agree_on_key(&self, check: &str, is_chosen: bool) -> Result<KeyAgreement> {
        let mut tx = self.store().write().await?;
        // The lock: of two new servers that start at once, the second finds the first one's key.
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
