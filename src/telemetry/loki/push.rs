//! One push to Loki, and what its answer means for the lines.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::{Method, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::json;
use tokio::time::timeout;

use super::{Line, Queue, Reason};

/// Loki gets so long to answer.
const LIMIT: Duration = Duration::from_secs(5);

pub(super) struct Push {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    uri: Uri,
    authorization: Option<String>,
    environment: String,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// The lines are stored, or dropped and counted.
    Settled,
    /// The same lines may be taken later.
    Later,
}

impl Push {
    pub(super) fn new(url: &str, environment: &str) -> Result<Self, String> {
        let bad = |why: &str| {
            format!("COFFER_LOKI_URL {why}. Give http://host:3100 or https://user:password@host.")
        };
        let mut url: url::Url = url.parse().map_err(|_| bad("is not an address"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(bad("is neither http nor https"));
        }
        let authorization = (!url.username().is_empty()).then(|| {
            let pair = format!("{}:{}", url.username(), url.password().unwrap_or_default());
            format!("Basic {}", data_encoding::BASE64.encode(pair.as_bytes()))
        });
        let _ = (url.set_username(""), url.set_password(None));
        url.set_path("/loki/api/v1/push");
        let connector = HttpsConnectorBuilder::new()
            .with_native_roots()
            .map_err(|e| bad(&format!("needs this machine’s certificates, which can’t be read: {e}")))?
            .https_or_http()
            .enable_http1()
            .build();
        Ok(Self {
            client: Client::builder(TokioExecutor::new()).pool_max_idle_per_host(1).build(connector),
            uri: url.as_str().parse().map_err(|_| bad("is not an address"))?,
            authorization,
            environment: environment.to_owned(),
        })
    }

    pub(super) async fn send(&self, lines: &[Line], queue: &Queue) -> Answer {
        let mut parts = vec![lines];
        while let Some(part) = parts.pop() {
            match self.answer(part).await {
                Some(status) if status.is_success() => {}
                Some(StatusCode::PAYLOAD_TOO_LARGE) if part.len() > 1 => {
                    let (first, second) = part.split_at(part.len() / 2);
                    parts.extend([second, first]);
                }
                Some(StatusCode::PAYLOAD_TOO_LARGE) => queue.count(Reason::TooLarge, 1),
                Some(StatusCode::TOO_MANY_REQUESTS) | None => return Answer::Later,
                Some(status) if status.is_server_error() => return Answer::Later,
                Some(_) => queue.count(Reason::Refused, part.len()),
            }
        }
        Answer::Settled
    }

    /// Loki's status; `None` when it can't be reached or does not answer in time.
    async fn answer(&self, lines: &[Line]) -> Option<StatusCode> {
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(self.uri.clone())
            .header(header::CONTENT_TYPE, "application/json");
        if let Some(authorization) = &self.authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        let request = request.body(Full::new(self.body(lines))).ok()?;
        let exchange = async {
            let response = self.client.request(request).await.ok()?;
            let status = response.status();
            // Read to its end, so that the connection can be used again.
            let _ = Limited::new(response.into_body(), 64 << 10).collect().await;
            Some(status)
        };
        timeout(LIMIT, exchange).await.ok().flatten()
    }

    /// A stream for each level, since that is the one label that differs.
    fn body(&self, lines: &[Line]) -> Bytes {
        let mut streams = BTreeMap::<&str, Vec<(String, &str)>>::new();
        for line in lines {
            let nanos = format!("{}000", line.at.micros());
            streams.entry(line.level).or_default().push((nanos, &line.text));
        }
        let streams: Vec<_> = streams
            .into_iter()
            .map(|(level, values)| {
                let labels = json!({ "service_name": "coffer", "env": self.environment, "level": level });
                json!({ "stream": labels, "values": values })
            })
            .collect();
        Bytes::from(json!({ "streams": streams }).to_string())
    }
}
