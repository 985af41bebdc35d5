//! Liao’s web UI.
