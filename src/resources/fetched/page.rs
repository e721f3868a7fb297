//! Reads the page behind a link, and its icon.

use axum::http::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use url::Url;

use super::charset;
use super::html::{self, Head};
use super::icon::{self, Icon};
use crate::fetch::{Answer, Fetcher, Request};

const HTML: HeaderValue = HeaderValue::from_static("text/html, application/xhtml+xml");
const IMAGES: HeaderValue =
    HeaderValue::from_static("image/png, image/webp, image/gif, image/jpeg, image/x-icon");
/// Icons that are tried, `/favicon.ico` aside.
const TRIED: usize = 2;

pub struct Page {
    /// After redirects.
    url: Url,
    pub head: Head,
}

/// `None` where there is no page that could be read.
pub async fn read(fetcher: &Fetcher, url: &str) -> Option<Page> {
    let request = Request::get(Url::parse(url).ok()?).header(ACCEPT, HTML);
    let answer = fetcher.send(request).await.ok().filter(|answer| answer.status.is_success())?;
    let content_type = content_type(&answer);
    let media_type = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if !matches!(media_type.as_str(), "text/html" | "application/xhtml+xml") {
        return None;
    }
    let head = html::parse(&charset::decode(&answer.body, &content_type));
    Some(Page { url: answer.url, head })
}

fn content_type(answer: &Answer) -> String {
    let value = answer.headers.get(CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    String::from_utf8_lossy(value).into_owned()
}

impl Page {
    /// The first of its icons that is a small picture.
    pub async fn icon(&self, fetcher: &Fetcher, key: &[u8; 32]) -> Option<Icon> {
        for url in self.icon_urls() {
            let request = Request::get(url).header(ACCEPT, IMAGES).max_body(icon::LARGEST);
            let answer = fetcher.send(request).await.ok();
            let whole = answer.filter(|answer| answer.status.is_success() && !answer.is_cut);
            if let Some(icon) = whole.and_then(|answer| Icon::new(answer.body, key)) {
                return Some(icon);
            }
        }
        None
    }

    fn icon_urls(&self) -> Vec<Url> {
        let base = self.head.base.as_deref().and_then(|base| self.url.join(base).ok());
        let base = base.as_ref().unwrap_or(&self.url);
        let is_svg = |url: &Url| url.path().to_ascii_lowercase().ends_with(".svg");
        let named = self.head.icons.iter().filter_map(|href| base.join(href).ok());
        let named = named.filter(|url| !is_svg(url)).take(TRIED);
        named.chain(self.url.join("/favicon.ico")).collect()
    }
}
