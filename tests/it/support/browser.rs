//! A browser of its own for one test, in the words of the person who sits before it. Every step waits for what
//! it needs, at most `LIMIT`, and a step that fails says what the page showed instead.

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use axum::http::Method;
use fantoccini::elements::Element;
use fantoccini::key::Key;
use fantoccini::wd::{PrintConfigurationBuilder, PrintOrientation, WebDriverCompatibleCommand};
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use url::{ParseError, Url};

use super::server::Server;
use super::wait::eventually;

const LIMIT: Duration = Duration::from_secs(20);
const START_LIMIT: Duration = Duration::from_mins(1);
const PORTS_TO_TRY: u32 = 10;
const STARTED: &str = "ChromeDriver was started successfully on port ";

/// The same engine without Chromium's windows, as Debian has it. It starts in a sixth of the processor time, so that the long tests
/// alone take the whole program.
const HEADLESS_SHELL: &str = "/usr/lib/chromium/chromium-headless-shell";

/// Chromium's own DNS client holds up the first page of one start in five, by one or five seconds.
const FLAGS: [&str; 10] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--disable-features=AsyncDns",
];

/// Works without JavaScript in the page too. WebDriver's own command leaves out what `<noscript>` shows.
const VISIBLE_TEXTS: &str = "
    const visible = element => element.checkVisibility({ visibilityProperty: true });
    return [...document.querySelectorAll(arguments[0])].filter(visible).map(element => element.innerText);
";

/// The name of what has the focus, and whether one can see that it has it.
const FOCUS: &str = "
    const focused = document.activeElement;
    const style = getComputedStyle(focused);
    const box = focused.getBoundingClientRect();
    const marked = style.outlineStyle !== 'none' || style.boxShadow !== 'none';
    const name = focused.ariaLabel ?? focused.labels?.[0]?.innerText ?? focused.innerText ?? '';
    return [name.trim().replace(/\\s+/g, ' '), marked && box.bottom > 0 && box.top < innerHeight];
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
        let (chromedriver, log) = chromedriver().await;
        let (_, port) = log.split_once(STARTED).expect("the log says so");
        let port: String = port.chars().take_while(char::is_ascii_digit).collect();

        let mut flags = FLAGS.map(ToOwned::to_owned).to_vec();
        flags.push(format!("--blink-settings=scriptEnabled={javascript}"));
        flags.push(format!("--user-data-dir={}", chromedriver.folder().join("profile").display()));
        // A window would count its frame, and wouldn't be as narrow as a telephone.
        let page =
            json!({ "width": width, "height": height, "pixelRatio": 1, "mobile": false, "touch": false });
        let mut options = json!({ "args": flags, "mobileEmulation": { "deviceMetrics": page } });
        if Path::new(HEADLESS_SHELL).exists() && std::env::var_os("COFFER_TEST_LONG").is_none() {
            options["binary"] =
                concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support/headless_shell.sh").into();
        }
        let capabilities = json!({
            "timeouts": { "pageLoad": LIMIT.as_millis() },
            "goog:loggingPrefs": { "browser": "WARNING" },
            "goog:chromeOptions": options,
        });
        let mut client = ClientBuilder::new(HttpConnector::new());
        client.capabilities(capabilities.as_object().expect("an object").clone());
        let address = format!("http://127.0.0.1:{port}");
        let client = tokio::time::timeout(START_LIMIT, client.connect(&address)).await;
        let client = client.expect("chromium starts in time").expect("chromium starts");
        Self { client, base_url: base_url.trim_end_matches('/').to_owned(), _chromedriver: chromedriver }
    }

    /// Of an address where it has been.
    pub fn path_of<'a>(&self, url: &'a str) -> &'a str {
        url.strip_prefix(&self.base_url).expect("an address of coffer")
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

    /// Ticks the checkbox with this label, or takes its tick away.
    pub async fn tick(&self, label_or_name: &str) {
        self.click(&format!("tick {label_or_name:?}"), &field(label_or_name)).await;
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

    /// Drags a file from outside onto what `css` selects, and drops it there.
    pub async fn drops(&self, css: &str, file: &Path) {
        let file = std::path::absolute(file).expect("a path").display().to_string();
        let place = format!(
            "const area = document.querySelector({css:?}); area.scrollIntoView({{ block: 'center' }});
            const box = area.getBoundingClientRect(); return [box.x + box.width / 2, box.y + box.height / 2];"
        );
        let [x, y]: [f64; 2] = self.run(&place).await;
        let data = json!({ "items": [], "files": [file], "dragOperationsMask": 1 });
        for kind in ["dragEnter", "dragOver", "drop"] {
            let params = json!({ "type": kind, "x": x, "y": y, "data": data });
            let command = json!({ "cmd": "Input.dispatchDragEvent", "params": params });
            self.asks_driver("goog/cdp/execute", command).await;
        }
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

    /// Nothing that `css` selects is in sight.
    pub async fn has_no(&self, css: &str) {
        self.step(&format!("no longer see {css}"), async || {
            let shown = self.texts(css).await?;
            shown.is_empty().then_some(()).ok_or(format!("still {shown:?}").into())
        })
        .await;
    }

    /// What stands in the field with this label, or this name.
    pub async fn field_holds(&self, label_or_name: &str, expected: &str) {
        self.step(&format!("find {expected:?} in {label_or_name:?}"), async || {
            let held = self.visible(&field(label_or_name)).await?.prop("value").await?.unwrap_or_default();
            (held == expected).then_some(()).ok_or(format!("it holds {held:?}").into())
        })
        .await;
    }

    /// Waits until the address ends like this.
    pub async fn is_at(&self, end: &str) {
        self.step(&format!("be at {end}"), async || {
            let url = self.client.current_url().await?;
            url.as_str().ends_with(end).then_some(()).ok_or(format!("it is {url}").into())
        })
        .await;
    }

    pub async fn back(&self) {
        self.step("go back", async || Ok(self.client.back().await?)).await;
    }

    /// Types where the focus is.
    pub async fn types(&self, text: &str) {
        self.step(&format!("type {text:?}"), async || {
            Ok(self.client.active_element().await?.send_keys(text).await?)
        })
        .await;
    }

    pub async fn hits(&self, key: Key) {
        self.types(&char::from(key).to_string()).await;
    }

    /// Goes on from stop to stop with the Tab key to the element of this name; every stop must show that it
    /// has the focus.
    pub async fn tabs_to(&self, name: &str) {
        let mut stops: Vec<String> = Vec::new();
        while stops.last().is_none_or(|last| last != name) {
            assert!(stops.len() < 100, "Tab never comes to {name:?}, only to {stops:?}");
            self.hits(Key::Tab).await;
            let (stop, seen): (String, bool) = self.run(FOCUS).await;
            assert!(seen, "{stop:?} doesn't show that it has the focus");
            stops.push(stop);
        }
    }

    /// Goes on in a new tab of the same browser.
    pub async fn opens_a_tab(&self) {
        self.step("open a tab", async || {
            let tab = self.client.new_window(true).await?;
            Ok(self.client.switch_to_window(tab.handle).await?)
        })
        .await;
    }

    /// Closes this tab and goes on in the first one.
    pub async fn closes_the_tab(&self) {
        self.step("close the tab", async || {
            self.client.close_window().await?;
            let tabs = self.client.windows().await?;
            Ok(self.client.switch_to_window(tabs.into_iter().next().ok_or("no tab is left")?).await?)
        })
        .await;
    }

    /// Goes on in the window that a page has opened.
    pub async fn goes_to_the_other_tab(&self) {
        self.step("go to the other window", async || {
            let here = self.client.window().await?;
            let other = self.client.windows().await?.into_iter().find(|window| *window != here);
            Ok(self.client.switch_to_window(other.ok_or("there is no other window")?).await?)
        })
        .await;
    }

    /// Waits until the window has closed itself, and goes on in the one that is left.
    pub async fn goes_to_the_first_tab_once_the_other_is_closed(&self) {
        let left = eventually(LIMIT, async || {
            let mut windows = self.client.windows().await.map_err(|error| error.to_string())?;
            if windows.len() == 1 {
                Ok(windows.remove(0))
            } else {
                Err("the window is still open".to_owned())
            }
        });
        let left = left.await.unwrap_or_else(|error| panic!("{error}"));
        self.step("go back to the first window", async || {
            Ok(self.client.switch_to_window(left.clone()).await?)
        })
        .await;
    }

    /// What a script of ours in the page returns.
    pub async fn run<T: DeserializeOwned>(&self, script: &str) -> T {
        let answer = eventually(LIMIT, async || self.client.execute(script, Vec::new()).await).await;
        serde_json::from_value(answer.expect("the script runs")).expect("what the script returns")
    }

    /// `light` or `dark`, and without transitions between the two.
    pub async fn prefers(&self, scheme: &str) {
        let features = json!([
            { "name": "prefers-color-scheme", "value": scheme },
            { "name": "prefers-reduced-motion", "value": "reduce" },
        ]);
        let command = json!({ "cmd": "Emulation.setEmulatedMedia", "params": { "features": features } });
        self.asks_driver("goog/cdp/execute", command).await;
    }

    /// Lives in this time zone from now on.
    pub async fn lives_in(&self, zone: &str) {
        let command = json!({ "cmd": "Emulation.setTimezoneOverride", "params": { "timezoneId": zone } });
        self.asks_driver("goog/cdp/execute", command).await;
    }

    /// How many pages a printer makes of this one.
    pub async fn printed_pages(&self, orientation: PrintOrientation) -> usize {
        const PAGE: &[u8] = b"/Type /Page";
        let wanted = PrintConfigurationBuilder::default().orientation(orientation).build();
        let pdf = self.client.print(wanted.expect("a paper")).await.expect("it is printed");
        // The list of all of them is `/Type /Pages`.
        pdf.windows(PAGE.len() + 1).filter(|part| part.starts_with(PAGE) && part[PAGE.len()] != b's').count()
    }

    /// Shows the page as on paper from now on.
    pub async fn shows_paper(&self) {
        let command = json!({ "cmd": "Emulation.setEmulatedMedia", "params": { "media": "print" } });
        self.asks_driver("goog/cdp/execute", command).await;
    }

    /// Copies without asking, as a browser with windows does after a click.
    pub async fn may_copy(&self) {
        let params = json!({ "permissions": ["clipboardSanitizedWrite"] });
        let command = json!({ "cmd": "Browser.grantPermissions", "params": params });
        self.asks_driver("goog/cdp/execute", command).await;
    }

    /// Asks for everything anew from now on, as on a first visit.
    pub async fn keeps_nothing(&self) {
        let command = json!({ "cmd": "Network.setCacheDisabled", "params": { "cacheDisabled": true } });
        self.asks_driver("goog/cdp/execute", json!({ "cmd": "Network.enable", "params": {} })).await;
        self.asks_driver("goog/cdp/execute", command).await;
    }

    /// The warnings, errors and violations of the content policy that the console has shown since it was last
    /// asked for them.
    pub async fn complaints(&self) -> Vec<String> {
        let log = self.asks_driver("se/log", json!({ "type": "browser" })).await;
        let lines = log.as_array().expect("a log").iter();
        lines.filter_map(|line| line["message"].as_str().map(str::to_owned)).collect()
    }

    pub async fn url(&self) -> String {
        let url = eventually(LIMIT, async || self.client.current_url().await).await;
        url.expect("the page's address").to_string()
    }

    async fn asks_driver(&self, path: &'static str, body: Value) -> Value {
        let answer = eventually(LIMIT, async || {
            self.client.issue_cmd(DriverCommand { path, body: body.to_string() }).await
        });
        answer.await.expect("chromedriver answers")
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

/// It takes a port that is free on one of two protocols, and ends when another has it on the other: then once more.
async fn chromedriver() -> (Server, String) {
    let mut said = String::new();
    for _ in 0..PORTS_TO_TRY {
        let chromedriver = Server::new("browser", "KILL", &["chromedriver", "--port=0"]);
        match chromedriver.start(STARTED).await {
            Ok(log) => return (chromedriver, log),
            Err(log) => said = log,
        }
        if !said.contains("Address already in use") {
            break;
        }
    }
    panic!("chromedriver doesn't start (bin/setup installs it): {said}");
}

/// A command of chromedriver's own.
#[derive(Debug)]
struct DriverCommand {
    path: &'static str,
    body: String,
}

impl WebDriverCompatibleCommand for DriverCommand {
    fn endpoint(&self, base_url: &Url, session_id: Option<&str>) -> Result<Url, ParseError> {
        base_url.join(&format!("session/{}/{}", session_id.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(self.body.clone()))
    }
}

fn field(label_or_name: &str) -> String {
    let name = literal(label_or_name);
    let is_it = format!("normalize-space()={name}");
    let label = format!("label[.//text()[{is_it}] or descendant-or-self::*[{is_it}]]");
    format!(
        "//*[self::input or self::textarea or self::select]\
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
