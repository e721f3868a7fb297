//! `coffer import --server URL`: a running coffer takes the file over its API, so that it need not stop.

use std::path::Path;
use std::time::Duration;

use http_client::header::{AUTHORIZATION, CONTENT_TYPE};
use http_client::{Client, RequestBuilder, Url};
use serde::Deserialize;
use serde_json::Value;
use tokio::time::interval;
use uuid::Uuid;

use super::{bar, for_terminal, preview, summary, tell};
use crate::cli::args::ImportArgs;
use crate::resources::import::Report;

/// How often a running import is asked for.
const LOOK: Duration = Duration::from_millis(500);
/// For one answer; a preview of a large file takes a while.
const LIMIT: Duration = Duration::from_mins(10);

struct Server {
    client: Client,
    /// Of the imports, without a slash at its end.
    address: String,
    token: String,
}

/// As the API tells of it.
#[derive(Deserialize)]
struct Import {
    id: Uuid,
    state: String,
    total: u64,
    done: u64,
    report: Report,
}

pub async fn import(args: &ImportArgs, server: &str, name: &str, bytes: Vec<u8>) -> Result<(), String> {
    let token = args.token_file.as_deref().ok_or("Name a file with an API token: --token-file FILE.")?;
    let server = Server::new(server, token)?;
    let mut query =
        vec![("name", name.chars().take(200).collect()), ("visibility", args.visibility.as_str().to_owned())];
    query.extend(args.charset.map(|charset| ("charset", charset.name().to_owned())));
    query.extend(args.without_folders.then(|| ("folders", "false".to_owned())));
    let sent =
        server.client.post(&server.address).query(&query).header(CONTENT_TYPE, "application/octet-stream");
    let mut import = server.ask(sent.body(bytes)).await?;
    if args.preview {
        preview(&import.report);
        return Ok(());
    }
    summary(&import.report);
    let place = format!("{}/{}", server.address, import.id);
    import = server.ask(server.client.post(format!("{place}/commit"))).await?;
    let (bar, mut tick) = (bar("Importing"), interval(LOOK));
    bar.set_length(import.total);
    while import.state == "importing" {
        tick.tick().await;
        import = server.ask(server.client.get(&place)).await?;
        bar.set_position(import.done);
    }
    bar.finish_and_clear();
    tell(&import.report, import.id);
    Ok(())
}

impl Server {
    fn new(server: &str, token: &Path) -> Result<Self, String> {
        let address = Url::parse(server).ok().filter(|url| ["http", "https"].contains(&url.scheme()));
        let address = address
            .ok_or(format!("{server} is no address of a coffer, such as https://coffer.example.org."))?;
        let token = std::fs::read_to_string(token)
            .map_err(|error| format!("Cannot read {}: {error}.", token.display()))?;
        let client = Client::builder().timeout(LIMIT).build().map_err(|error| error.to_string())?;
        let address = format!("{}/api/v1/imports", address.as_str().trim_end_matches('/'));
        Ok(Self { client, address, token: token.trim().to_owned() })
    }

    async fn ask(&self, request: RequestBuilder) -> Result<Import, String> {
        let sent = request.header(AUTHORIZATION, format!("Bearer {}", self.token)).send().await;
        let answer = sent.map_err(|error| format!("No answer from {}: {error}.", self.address))?;
        let status = answer.status();
        let bytes =
            answer.bytes().await.map_err(|error| format!("No answer from {}: {error}.", self.address))?;
        if status.is_success() {
            return serde_json::from_slice(&bytes)
                .map_err(|error| format!("{} answered as no coffer does: {error}.", self.address));
        }
        Err(refusal(&bytes).map_or_else(
            || format!("{} answered {status}.", self.address),
            |sentence| for_terminal(&sentence),
        ))
    }
}

/// The sentences of a problem document.
fn refusal(bytes: &[u8]) -> Option<String> {
    let problem: Value = serde_json::from_slice(bytes).ok()?;
    let fields = problem["errors"].as_array().into_iter().flatten();
    let sentences: Vec<&str> = fields.filter_map(|field| field["message"].as_str()).collect();
    if sentences.is_empty() {
        problem["detail"].as_str().map(str::to_owned)
    } else {
        Some(sentences.join(" "))
    }
}
