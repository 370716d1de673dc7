//! The certificate directory in every state that a start can find, as a normal user in a
//! temporary directory; OpenSSL and Python judge what was issued.

#![allow(clippy::unwrap_used, reason = "a test may fail with a panic")]

mod clients;
mod corporate_pki;
mod official;
mod own_ca;
mod own_sets;
mod refused;
mod scene;
mod starts;
mod volumes;
