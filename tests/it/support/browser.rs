//! A browser of its own for one test, in the words of the person who sits before it. Every step waits for what
//! it needs, at most `LIMIT`, and a step that fails says what the page showed instead.

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use fantoccini::elements::Element;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::json;

use super::server::Server;
use super::wait::eventually;

const LIMIT: Duration = Duration::from_secs(20);
const START_LIMIT: Duration = Duration::from_mins(1);
const STARTED: &str = "ChromeDriver was started successfully on port ";

const FLAGS: [&str; 9] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
];

/// Works without JavaScript in the page too. WebDriver's own command leaves out what `<noscript>` shows.
const VISIBLE_TEXTS: &str = "
    const visible = element => element.checkVisibility({ visibilityProperty: true });
    return [...document.querySelectorAll(arguments[0])].filter(visible).map(element => element.innerText);
";

type Attempt<T> = Result<T, Box<dyn Error>>;

pub struct Browser {
    client: Client,
    base_url: String,
    /// Chromium is its child and ends with it.
    _chromedriver: Server,
}

impl Browser {
    /// An empty profile whose page area is `width` × `height` CSS pixels; paths are relative to `base_url`.
    pub async fn open(base_url: &str, javascript: bool, width: u32, height: u32) -> Self {
        let chromedriver = Server::new("browser", "KILL", &["chromedriver", "--port=0"]);
        let log = chromedriver.start(STARTED).await;
        let log =
            log.unwrap_or_else(|log| panic!("chromedriver doesn't start (bin/setup installs it): {log}"));
        let (_, port) = log.split_once(STARTED).expect("the log says so");
        let port: String = port.chars().take_while(char::is_ascii_digit).collect();

        let mut flags = FLAGS.map(ToOwned::to_owned).to_vec();
        flags.push(format!("--blink-settings=scriptEnabled={javascript}"));
        flags.push(format!("--user-data-dir={}", chromedriver.folder().join("profile").display()));
        // A window would count its frame, and wouldn't be as narrow as a telephone.
        let page =
            json!({ "width": width, "height": height, "pixelRatio": 1, "mobile": false, "touch": false });
        let capabilities = json!({
            "timeouts": { "pageLoad": LIMIT.as_millis() },
            "goog:chromeOptions": { "args": flags, "mobileEmulation": { "deviceMetrics": page } },
        });
        let mut client = ClientBuilder::new(HttpConnector::new());
        client.capabilities(capabilities.as_object().expect("an object").clone());
        let address = format!("http://127.0.0.1:{port}");
        let client = tokio::time::timeout(START_LIMIT, client.connect(&address)).await;
        let client = client.expect("chromium starts in time").expect("chromium starts");
        Self { client, base_url: base_url.trim_end_matches('/').to_owned(), _chromedriver: chromedriver }
    }

    pub async fn goto(&self, path: &str) {
        let url = format!("{}{path}", self.base_url);
        self.step(&format!("go to {path}"), async || Ok(self.client.goto(&url).await?)).await;
    }

    /// Types over what is in the field with this label, or this name.
    pub async fn fill(&self, label_or_name: &str, text: &str) {
        self.step(&format!("fill {label_or_name:?}"), async || {
            let field = self.visible(&field(label_or_name)).await?;
            field.clear().await?;
            Ok(field.send_keys(text).await?)
        })
        .await;
    }

    pub async fn press(&self, button: &str) {
        let name = literal(button);
        let named = format!("normalize-space()={name} or @aria-label={name}");
        let submit = format!("@type='submit' and @value={name}");
        let path = format!("//button[not(@disabled)][{named}] | //summary[{named}] | //input[{submit}]");
        self.click(&format!("press {button:?}"), &path).await;
    }

    pub async fn follow(&self, link: &str) {
        let name = literal(link);
        let path = format!("//a[@href][normalize-space()={name} or @aria-label={name}]");
        self.click(&format!("follow {link:?}"), &path).await;
    }

    /// Chooses a file in the field with this label, or this name.
    pub async fn upload(&self, label_or_name: &str, file: &Path) {
        let file = std::path::absolute(file).expect("a path").display().to_string();
        let path = field(label_or_name);
        self.step(&format!("upload {label_or_name:?}"), async || {
            let field = self.client.find(Locator::XPath(&path)).await?;
            Ok(field.send_keys(&file).await?)
        })
        .await;
    }

    pub async fn sees(&self, expected: &str) {
        self.step(&format!("see {expected:?}"), async || {
            let shown = one_line(&self.page_text().await?).contains(&one_line(expected));
            shown.then_some(()).ok_or("it isn't there".into())
        })
        .await;
    }

    /// Waits until the page no longer shows this.
    pub async fn doesnt_see(&self, unexpected: &str) {
        self.step(&format!("no longer see {unexpected:?}"), async || {
            let shown = one_line(&self.page_text().await?).contains(&one_line(unexpected));
            (!shown).then_some(()).ok_or("it is there".into())
        })
        .await;
    }

    /// Some visible element that `css` selects shows `expected`.
    pub async fn has(&self, css: &str, expected: &str) {
        self.step(&format!("see {expected:?} in {css}"), async || {
            let shown = self.texts(css).await?;
            let found = shown.iter().any(|shown| one_line(shown).contains(&one_line(expected)));
            found.then_some(()).ok_or(format!("only {shown:?}").into())
        })
        .await;
    }

    /// A PNG of what is in view.
    pub async fn screenshot(&self, file: &Path) {
        let png =
            eventually(LIMIT, async || self.client.screenshot().await).await.expect("a picture of the page");
        std::fs::write(file, png).expect("the picture can be written");
    }

    pub async fn url(&self) -> String {
        let url = eventually(LIMIT, async || self.client.current_url().await).await;
        url.expect("the page's address").to_string()
    }

    async fn step(&self, what: &str, attempt: impl AsyncFn() -> Attempt<()>) {
        let Err(reason) = eventually(LIMIT, attempt).await else { return };
        let page = eventually(LIMIT, async || {
            Attempt::Ok((self.client.current_url().await?, self.page_text().await?))
        });
        match page.await {
            Ok((url, text)) => panic!("can't {what}, {reason}\n{url} shows:\n{text}"),
            Err(error) => panic!("can't {what}, {reason}, and there is no page to show: {error}"),
        }
    }

    async fn click(&self, what: &str, path: &str) {
        self.step(what, async || Ok(self.visible(path).await?.click().await?)).await;
    }

    async fn visible(&self, path: &str) -> Attempt<Element> {
        for element in self.client.find_all(Locator::XPath(path)).await? {
            if element.is_displayed().await? {
                return Ok(element);
            }
        }
        Err("there is none in sight".into())
    }

    async fn texts(&self, css: &str) -> Attempt<Vec<String>> {
        let texts = self.client.execute(VISIBLE_TEXTS, vec![css.into()]).await?;
        Ok(serde_json::from_value(texts)?)
    }

    async fn page_text(&self) -> Attempt<String> {
        self.texts("body").await?.pop().ok_or("the page is still empty".into())
    }
}

fn field(label_or_name: &str) -> String {
    let name = literal(label_or_name);
    let label = format!("label[.//text()[normalize-space()={name}]]");
    format!(
        "//*[self::input or self::textarea]\
         [@name={name} or @aria-label={name} or @id=//{label}/@for or ancestor::{label}]"
    )
}

/// `text` as an XPath 1.0 literal, which knows no escapes.
fn literal(text: &str) -> String {
    let parts: Vec<_> = text.split('"').map(|part| format!("\"{part}\"")).collect();
    match parts.as_slice() {
        [only] => only.clone(),
        _ => format!("concat({})", parts.join(", '\"', ")),
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
