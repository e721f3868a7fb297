//! How a person's requests reach coffer: by plain HTTP, or by TLS with an authority of the test's own.

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};

use super::https::Site;

#[derive(Clone)]
pub enum Transport {
    Plain(reqwest::Client),
    Secure(Site),
}

/// A request before it is sent.
pub struct Outgoing {
    pub method: Method,
    pub origin: String,
    pub path: String,
    pub headers: Vec<(String, Vec<u8>)>,
    pub body: Vec<u8>,
}

impl Transport {
    /// # Errors
    /// What went wrong before the whole answer was here.
    pub async fn send(&self, outgoing: Outgoing) -> Result<Response<Vec<u8>>, String> {
        match self {
            Self::Plain(http) => plain(http, outgoing).await.map_err(|error| format!("{error:?}")),
            Self::Secure(site) => secure(site, outgoing).await.map_err(|error| error.to_string()),
        }
    }
}

async fn plain(http: &reqwest::Client, outgoing: Outgoing) -> reqwest::Result<Response<Vec<u8>>> {
    let mut request = http.request(outgoing.method, format!("{}{}", outgoing.origin, outgoing.path));
    for (name, value) in &outgoing.headers {
        request = request.header(name, value.as_slice());
    }
    let received = request.body(outgoing.body).send().await?;
    let (status, headers) = (received.status(), received.headers().clone());
    let mut response = Response::new(received.bytes().await?.to_vec());
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    Ok(response)
}

async fn secure(site: &Site, outgoing: Outgoing) -> std::io::Result<Response<Vec<u8>>> {
    let Outgoing { method, path, headers, body, .. } = outgoing;
    let values = headers.iter().map(|(name, value)| (name.as_str(), String::from_utf8_lossy(value)));
    let values: Vec<_> = values.collect();
    let borrowed: Vec<(&str, &str)> = values.iter().map(|(name, value)| (*name, value.as_ref())).collect();
    let reply = site.ask(method.as_str(), &path, &borrowed, &body).await?;
    let (head, body) = reply.text.split_once("\r\n\r\n").unwrap_or((&reply.text, ""));
    let mut found = HeaderMap::new();
    for (name, value) in head.lines().skip(1).filter_map(|line| line.split_once(": ")) {
        let name = HeaderName::try_from(name).expect("a name");
        found.append(name, HeaderValue::try_from(value).expect("a value"));
    }
    assert!(
        !found.contains_key("transfer-encoding"),
        "{path} is sent in parts, which this client can't read"
    );
    let mut response = Response::new(body.as_bytes().to_vec());
    *response.status_mut() = StatusCode::from_u16(reply.status).expect("a status");
    *response.headers_mut() = found;
    Ok(response)
}
