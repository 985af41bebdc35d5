//! Liao’s domain.
