//! Random values.

use std::fmt::Write as _;

use leptos::prelude::window;

/// A new `client_id`: 128 random bits in hexadecimal. (`crypto.randomUUID` is not available without TLS.)
pub fn client_id() -> String {
    let mut bytes = [0_u8; 16];
    if let Ok(crypto) = window().crypto() {
        // Fails only for more than 64 KiB.
        let _ = crypto.get_random_values_with_u8_array(&mut bytes);
    }
    bytes.iter().fold(String::with_capacity(32), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A random number from 0 to 1, for backoff.
pub fn jitter() -> f64 {
    js_sys::Math::random()
}
