//! `coffer audit`: verifies the audit log, here or as it was exported.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use super::output::Output;
use super::sentence;
use super::work::{Out, say};
use crate::app::App;
use crate::audit::lines;
use crate::audit::verify::Verified;
use crate::cli::args::AuditAction;
use crate::config::Config;
use crate::keys::Keys;

pub async fn run(app: &App, action: AuditAction, mut out: Out) -> Result<(), String> {
    match action {
        AuditAction::Verify { .. } => {
            let verified = app.audit_reader.verify().await.map_err(|e| sentence(&e))?;
            tell(&verified, &mut out)
        }
        AuditAction::Export { .. } => {
            app.audit_reader.export(&mut *out).await.map(drop).map_err(|e| sentence(&e))
        }
    }
}

/// Needs the key, but no library.
pub fn verify_file(path: &Path, config: &Config) -> Result<(), String> {
    let keys = Keys::configured(config.key_source())?;
    let keys = keys.ok_or("No key found. Set COFFER_SECRET_KEY to the library's key.")?;
    let file = File::open(path).map_err(|e| format!("Cannot read {}: {e}.", path.display()))?;
    let verified = lines::verify(BufReader::new(file), &keys)?;
    tell(&verified, &mut (Box::new(Output::standard()) as Out))
}

/// The error names the first event that was changed.
fn tell(verified: &Verified, out: &mut Out) -> Result<(), String> {
    if let Some(fault) = &verified.fault {
        return Err(format!(
            "The audit trail is broken: {fault}. The {} events before that are intact. Either the database was modified outside coffer, or COFFER_SECRET_KEY is a different key. Compare with a backup.",
            verified.events
        ));
    }
    let (events, seal) = (verified.events, &verified.last_hash);
    say(out, format_args!("The audit trail is intact: {events} events. The last seal starts with {seal}."))?;
    if verified.unkeyed > 0 {
        let lost = verified.unkeyed;
        say(
            out,
            format_args!(
                "The key for the first {lost} is lost, so only their order was checked, not their content."
            ),
        )?;
    }
    Ok(())
}
