//! Query parameters that follow visitors and choose nothing on the page.

/// Query parameters that say where a visitor came from and never what the page shows.
const TRACKING: [&str; 29] = [
    "_ga",
    "_gl",
    "_hsenc",
    "_hsmi",
    "_openstat",
    "dclid",
    "fb_action_ids",
    "fb_action_types",
    "fb_source",
    "fbclid",
    "gad_source",
    "gbraid",
    "gclid",
    "gclsrc",
    "igsh",
    "igshid",
    "mc_cid",
    "mc_eid",
    "mkt_tok",
    "ml_subscriber",
    "ml_subscriber_hash",
    "msclkid",
    "oly_anon_id",
    "oly_enc_id",
    "srsltid",
    "twclid",
    "vero_id",
    "wbraid",
    "yclid",
];

/// Families of tracking parameters: `utm_source`, `utm_medium`, …; Matomo's `mtm_…` and `pk_…`; `hsa_…`.
const TRACKING_PREFIXES: [&str; 5] = ["utm_", "mtm_", "pk_", "piwik_", "hsa_"];

pub(super) fn is_tracking(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    TRACKING.contains(&name.as_str()) || TRACKING_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}
