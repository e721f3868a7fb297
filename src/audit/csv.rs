//! The audit log as CSV (RFC 4180), which a spreadsheet can open without running formulas in it.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use tokio::sync::mpsc::{self, Sender};
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::ReceiverStream;

use super::reader::{AuditReader, Filter, NamedEvent};

const CHUNK: i64 = 500;
const HEAD: [&str; 10] = [
    "event", "at", "action", "outcome", "actor", "actor_id", "target", "target_name", "network", "request_id",
];

/// Ends the connection early, so that the download does not look complete.
#[derive(Debug, thiserror::Error)]
#[error("the download was cut off")]
struct Cut;

pub fn answer(audit_reader: Arc<AuditReader>, filter: Filter) -> Response {
    let (sender, receiver) = mpsc::channel(1);
    tokio::spawn(send(audit_reader, filter, sender));
    // The compression asks a body once more after its end.
    let body = Body::from_stream(ReceiverStream::new(receiver).fuse());
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"coffer-audit.csv\""),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (headers, body).into_response()
}

async fn send(audit_reader: Arc<AuditReader>, filter: Filter, sender: Sender<Result<Bytes, Cut>>) {
    let mut filter = Filter { limit: CHUNK, ..filter };
    let mut text = line(&HEAD);
    loop {
        if sender.send(Ok(Bytes::from(std::mem::take(&mut text)))).await.is_err() {
            return;
        }
        match audit_reader.chunk(&mut filter).await {
            Ok(entries) if entries.is_empty() => return,
            Ok(entries) => text.extend(entries.iter().map(row)),
            Err(error) => {
                tracing::warn!(event = "csv_failed", ?error, "a download of the audit trail was cut off");
                let _ = sender.send(Err(Cut)).await;
                return;
            }
        }
    }
}

fn row(entry: &NamedEvent) -> String {
    let (seq, at, network) = (entry.seq.to_string(), entry.at.json(), entry.network_hex());
    let actor = entry.actor.as_ref();
    let actor_id = actor.map(|who| who.id.to_string()).unwrap_or_default();
    let name = actor.and_then(|who| who.username.as_deref()).unwrap_or_default();
    let target_name = entry.target_name.as_deref().unwrap_or_default();
    line(&[
        &seq, &at, &entry.action, &entry.outcome, name, &actor_id, &entry.target, target_name, &network,
        &entry.request_id,
    ])
}

fn line(cells: &[&str; 10]) -> String {
    let cells: Vec<_> = cells.iter().map(|cell| quoted(cell)).collect();
    cells.join(",") + "\r\n"
}

/// Always quoted, with an apostrophe before cells that a spreadsheet would run as a formula (OWASP, CSV injection).
fn quoted(cell: &str) -> String {
    let defused = if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    format!("\"{defused}{}\"", cell.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn cells_are_quoted() {
        assert_eq!(quoted("plain"), "\"plain\"");
        assert_eq!(quoted(""), "\"\"");
        assert_eq!(quoted("a \"b\", c\r\nd"), "\"a \"\"b\"\", c\r\nd\"");
    }

    #[test]
    fn what_could_be_a_formula_is_text() {
        for start in ["=", "+", "-", "@", "\t", "\r"] {
            let cell = format!("{start}HYPERLINK(\"x\")");
            assert_eq!(quoted(&cell), format!("\"'{start}HYPERLINK(\"\"x\"\")\""));
        }
    }
}
