//! A guarded HTTP client for addresses that users name: it connects to public addresses only, and reads little.

mod guard;
mod request;
mod resolver;
mod settings;
#[cfg(test)]
mod tests;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::http::header::LOCATION;
use http_client::redirect::Policy;
use http_client::{Client, Response};
use ipnet::IpNet;
use tokio::time::timeout;
use url::Url;

use self::guard::Guard;
pub use self::request::{Answer, FetchError, Request};
use self::resolver::{GuardedResolver, Lookup, SystemLookup};
pub use self::settings::{FetchSettings, Switch};
use crate::erased::Erased;

/// For one request with its redirects, from the name's resolution to the last byte.
const TIME_LIMIT: Duration = Duration::from_secs(5);
const USER_AGENT: &str = concat!("Mozilla/5.0 (compatible; coffer/", env!("CARGO_PKG_VERSION"), ")");

#[derive(Clone)]
pub struct Fetcher(Erased<Inner>);

struct Inner {
    guard: Arc<Guard>,
    lookup: Arc<dyn Lookup>,
    time_limit: Duration,
    /// Made at the first request, as it reads the system's certificates.
    client: OnceLock<Result<Client, String>>,
}

impl Fetcher {
    /// `allowed`: private networks that may be reached all the same.
    pub fn new(allowed: &[IpNet]) -> Self {
        Self::with(allowed, Arc::new(SystemLookup), TIME_LIMIT)
    }

    fn with(allowed: &[IpNet], lookup: Arc<dyn Lookup>, time_limit: Duration) -> Self {
        let guard = Arc::new(Guard::new(allowed));
        Self(Erased::new(Inner { guard, lookup, time_limit, client: OnceLock::new() }))
    }

    /// Any status is an answer.
    pub async fn send(&self, request: Request) -> Result<Answer, FetchError> {
        timeout(self.0.time_limit, self.follow(request)).await.map_err(|_| FetchError::TooSlow)?
    }

    async fn follow(&self, mut request: Request) -> Result<Answer, FetchError> {
        for _ in 0..=request.redirects {
            let response = self.step(&request).await?;
            match target(&request.url, &response) {
                Some(next) if request.redirects > 0 => request.url = next,
                _ => return read(request, response).await,
            }
        }
        Err(FetchError::TooManyRedirects)
    }

    /// Follows no redirect: every step is checked anew.
    async fn step(&self, request: &Request) -> Result<Response, FetchError> {
        self.0.guard.check(&request.url)?;
        let url = without_credentials(&request.url);
        let sent = self.client()?.request(request.method.clone(), url).headers(request.headers.clone());
        Ok(sent.body(request.body.clone()).send().await?)
    }

    fn client(&self) -> Result<&Client, FetchError> {
        let client = self.0.client.get_or_init(|| {
            let (guard, lookup) = (self.0.guard.clone(), self.0.lookup.clone());
            Client::builder()
                .dns_resolver(Arc::new(GuardedResolver { guard, lookup }))
                .user_agent(USER_AGENT)
                .redirect(Policy::none())
                .referer(false)
                // A proxy of the environment would resolve names itself, past the guard.
                .no_proxy()
                .pool_max_idle_per_host(0)
                .build()
                .map_err(|error| error.to_string())
        });
        client.as_ref().map_err(|reason| FetchError::Failed(reason.clone()))
    }
}

fn target(from: &Url, response: &Response) -> Option<Url> {
    let is_redirect = matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308);
    let location = response.headers().get(LOCATION).filter(|_| is_redirect)?;
    from.join(&String::from_utf8_lossy(location.as_bytes())).ok()
}

fn without_credentials(url: &Url) -> Url {
    let mut url = url.clone();
    // It fails only for addresses without a host, which the guard refuses.
    let _ = url.set_username("").and_then(|()| url.set_password(None));
    url
}

async fn read(request: Request, mut response: Response) -> Result<Answer, FetchError> {
    let (mut body, mut is_cut) = (Vec::new(), false);
    while let Some(chunk) = response.chunk().await? {
        let room = request.max_body - body.len();
        body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        is_cut = chunk.len() > room;
        if is_cut {
            break;
        }
    }
    let (status, headers) = (response.status(), response.headers().clone());
    Ok(Answer { url: request.url, status, headers, body, is_cut })
}
