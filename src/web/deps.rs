//! What extractors need of the application. The state of each slice's routes holds it beside the slice's own verbs.

use super::sudo::CheckSudo;
use crate::client_ip::ClientIp;
use crate::public_url::PublicUrl;
use crate::sealer::Sealer;
use crate::system::System;

pub struct WebDeps {
    pub system: System,
    pub public_url: PublicUrl,
    pub client_ip: ClientIp,
    /// Seals what is shown once.
    pub once: Sealer,
    pub sudo: Box<dyn CheckSudo>,
    pub signup_open: bool,
    /// Whether search engines are told of the public pages.
    pub is_indexed: bool,
    /// The largest upload, in bytes.
    pub upload_limit: usize,
}
