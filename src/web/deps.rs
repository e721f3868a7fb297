//! What extractors need of the application. The state of each slice's routes holds it beside the slice's own verbs.

use super::client::Clients;
use super::site::Site;
use super::sudo::CheckSudo;
use crate::context::Context;
use crate::seal::Seal;

pub struct WebDeps {
    pub system: Context,
    pub public_url: Site,
    pub client_ip: Clients,
    /// Seals what is shown once.
    pub once: Seal,
    pub sudo: Box<dyn CheckSudo>,
    pub signup_open: bool,
    /// The largest upload, in bytes.
    pub upload_limit: usize,
}
