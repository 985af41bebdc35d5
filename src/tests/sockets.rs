//! One file for each kind of socket, and one for each cross-cutting topic.

mod closing;
mod combined;
mod credentials;
mod flood;
mod invalid_frames;
mod moderation;
mod notifications;
mod room;
