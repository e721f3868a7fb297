//! Parameters that follow visitors and choose nothing on the page. Only known names: `pk_id` is a database's key.

/// They say where a visitor came from and never what the page shows.
const TRACKING: [&str; 34] = [
    "_ga", "_gl", "_hsenc", "_hsmi", "_openstat", "dclid", "echobox", "fb_action_ids", "fb_action_types",
    "fb_source", "fbclid", "gad_campaignid", "gad_source", "gbraid", "gclid", "gclsrc", "igsh", "igshid",
    "mc_cid", "mc_eid", "mkt_tok", "ml_subscriber", "ml_subscriber_hash", "msclkid", "oly_anon_id",
    "oly_enc_id", "srsltid", "ttclid", "twclid", "vero_id", "wbraid", "xtor", "yclid", "ysclid",
];

/// What follows `utm_` (Google Analytics and who took its names over).
const UTM: [&str; 27] = [
    "brand", "campaign", "campaign_id", "campaignid", "cid", "content", "creative", "creative_format",
    "expid", "hp_ref", "id", "int", "keyword", "marketing_tactic", "medium", "name", "place", "psref",
    "pubreferrer", "reader", "referrer", "social", "source", "source_platform", "swu", "term", "viz_id",
];

/// What follows Matomo's `mtm_`, `matomo_`, `pk_` and `piwik_`.
const MATOMO: [&str; 9] =
    ["campaign", "cid", "content", "group", "keyword", "kwd", "medium", "placement", "source"];

/// What follows `hsa_`, of advertisements.
const HUBSPOT: [&str; 12] = ["acc", "ad", "cam", "grp", "kw", "la", "mt", "net", "ol", "src", "tgt", "ver"];

pub(super) fn is_tracking(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let family = match name.split_once('_') {
        Some(("utm", rest)) => UTM.contains(&rest),
        Some(("mtm" | "matomo" | "pk" | "piwik", rest)) => MATOMO.contains(&rest),
        Some(("hsa", rest)) => HUBSPOT.contains(&rest),
        _ => false,
    };
    family || TRACKING.contains(&name.as_str())
}
