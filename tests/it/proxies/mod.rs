//! The proxies of docs/proxy.md, run for real with the document's own snippets.

mod below_a_path;
mod traefik;

use std::fs;
use std::path::Path;
use std::process::Command;

use coffer::identity::Role;
use tempfile::TempDir;

use crate::support::app::{App, Engine, Node, PASSWORD};
use crate::support::documents::under;
use crate::support::https::Site;
use crate::support::server::{Server, free_port};

const MIB: usize = 1 << 20;
/// Of pages an hour, so that a visitor who can claim another address would escape it.
const FEW: &str = "--rate-limit-pages=40/h";

fn folder() -> TempDir {
    tempfile::Builder::new().prefix("coffer-proxy.").tempdir().expect("a folder")
}

/// Nodes behind a proxy, which both say that they are at `origin`.
async fn nodes(origin: &str) -> (App, Node) {
    let base_url = format!("--base-url={origin}");
    let app = App::with(Engine::Postgres, &[&base_url, "--trusted-proxies=127.0.0.1", FEW]).await;
    let other = app.another_node().await;
    (app, other)
}

fn address(node: &Node) -> String {
    node.origin().replace("http://", "")
}

async fn nginx(config: &str, folder: &Path) -> Server {
    let path = folder.join("nginx.conf");
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|name| format!("{name}_temp_path {}/{name};\n", folder.display()))
        .concat();
    let whole = format!(
        "daemon off; user root; pid {0}/pid; error_log stderr notice; events {{}}\nhttp {{ access_log off;\n{temporary}{config}\n}}",
        folder.display()
    );
    fs::write(&path, whole).expect("a configuration");
    let server = Server::new(
        "nginx",
        "QUIT",
        &[
            "/usr/sbin/nginx",
            "-e",
            "stderr",
            "-p",
            &folder.display().to_string(),
            "-c",
            &path.display().to_string(),
        ],
    );
    server.start("start worker processes").await.unwrap_or_else(|log| panic!("nginx doesn't start: {log}"));
    server
}

/// For `localhost`, from an authority of its own: `server.pem`, `server.key` and `ca.pem`.
pub fn certificate(folder: &Path) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support/certificates.sh");
    let made =
        Command::new("sh").args([script, "DNS:localhost"]).current_dir(folder).output().expect("sh runs");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

/// What people do through a proxy: log in, bring a large file; and what strangers try.
async fn is_of_use(app: &App, site: &Site) {
    app.has_account("ada", Role::Admin).await;
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let login = format!("login=ada&password={}", PASSWORD.replace(' ', "+"));
    let logged_in = site.post("/login", &form, login.as_bytes()).await.expect("an answer");
    assert_eq!(logged_in.status, 303, "{}", logged_in.text);
    let set = logged_in.text.lines().filter(|line| line.to_lowercase().starts_with("set-cookie: "));
    let cookies: Vec<&str> = set.filter_map(|line| line[12..].split(';').next()).collect();
    let cookies = cookies.join("; ");
    let library = site.get("/resources", &[("cookie", cookies.as_str())]).await.expect("an answer");
    assert_eq!(library.status, 200, "{}", library.text);

    let kind = [("content-type", "multipart/form-data; boundary=x"), ("cookie", cookies.as_str())];
    let mut upload =
        b"--x\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.html\"\r\n\r\n".to_vec();
    upload.extend(vec![b' '; 8 * MIB]);
    upload.extend(b"\r\n--x--\r\n");
    let judged = site.post("/import", &kind, &upload).await.expect("an answer");
    assert!([303, 403, 422].contains(&judged.status), "coffer itself judges 8 MiB: {}", judged.text);
    let refused = site.announces("/import", &kind, 34 * MIB).await.expect("an answer");
    assert_eq!(refused.status, 413, "34 MiB are too much: {}", refused.text);
    let inside = site.get("/metrics", &[]).await.expect("an answer");
    assert_eq!(inside.status, 404, "figures stay inside");
    // More than both nodes allow one visitor.
    for number in 0..120_u8 {
        let claimed = format!("198.51.100.{number}");
        let asked = site.get("/login", &[("x-forwarded-for", &claimed)]).await;
        if asked.expect("an answer").status == 429 {
            return;
        }
    }
    panic!("whoever claims another address escapes the limit");
}

/// One of two nodes stops while people read; no one notices.
async fn a_node_may_stop(other: Node, site: &Site) {
    let reading = async {
        for _ in 0..150 {
            assert_eq!(site.get("/healthz", &[]).await.expect("no request fails").status, 200);
        }
    };
    tokio::join!(reading, other.stop());
    assert_eq!(site.get("/healthz", &[]).await.expect("no request fails").status, 200);
}

/// Where a proxy listens.
#[derive(Clone, Copy)]
pub struct Ports {
    pub plain: u16,
    pub secure: u16,
}

impl Ports {
    pub fn free() -> Self {
        Self { plain: free_port(), secure: free_port() }
    }
}

/// nginx by the documents' snippets before two nodes, with the certificate in the folder, and with a redirect from an
/// old name.
pub async fn nginx_before(nodes: [&str; 2], folder: &Path, ports: Ports) -> Server {
    let servers = under("proxy", "nginx", "nginx").concat();
    let several = under("proxy", "Several nodes, and draining", "nginx").concat();
    let moved = under("howto", "Change the domain or the address", "nginx").concat();
    let (_, sites) = servers.split_once("}\n").expect("an upstream first");
    let letsencrypt = "/etc/letsencrypt/live/links.example.org";
    let config = format!("{several}{sites}{moved}")
        .replace("live/old.example.org", "live/links.example.org")
        .replace("10.0.0.11:3000", nodes[0])
        .replace("10.0.0.12:3000", nodes[1])
        .replace("listen 80;", &format!("listen 127.0.0.1:{};", ports.plain))
        .replace("listen 443 ssl", &format!("listen 127.0.0.1:{} ssl", ports.secure))
        .replace(&format!("{letsencrypt}/fullchain.pem"), &folder.join("server.pem").display().to_string())
        .replace(&format!("{letsencrypt}/privkey.pem"), &folder.join("server.key").display().to_string())
        .replace("links.example.org", "localhost");
    let lines = config.split_inclusive('\n').filter(|line| !line.contains("listen [::]"));
    nginx(&lines.collect::<String>(), folder).await
}

#[tokio::test]
async fn nginx_with_https_and_two_nodes() {
    let (folder, ports) = (folder(), Ports::free());
    certificate(folder.path());
    let (app, other) = nodes(&format!("https://localhost:{}", ports.secure)).await;
    let _nginx = nginx_before([&address(&app), &address(&other)], folder.path(), ports).await;
    let site = Site::secure(ports.secure, &folder.path().join("ca.pem"));
    let page = site.get("/login", &[]).await.expect("a page");
    assert_eq!(page.status, 200, "the host with its port is passed on: {}", page.text);
    assert!(page.text.contains("strict-transport-security"), "{}", page.text);
    assert_eq!(Site::plain(ports.plain).get("/", &[]).await.expect("an answer").status, 301);
    a_node_may_stop(other, &site).await;
    is_of_use(&app, &site).await;
}

#[tokio::test]
async fn caddy_with_two_nodes() {
    let (folder, port) = (folder(), free_port());
    let origin = format!("http://localhost:{port}");
    let (app, other) = nodes(&origin).await;
    let site = under("proxy", "Caddy", "caddyfile").concat();
    let several = under("proxy", "Several nodes, and draining", "caddyfile").concat();
    let (first, last) = (site.find("\treverse_proxy").expect("a proxy"), site.rfind('}').expect("an end"));
    let config = format!("{{\n\tadmin off\n}}\n{}{several}{}", &site[..first], &site[last..])
        .replace("10.0.0.11:3000", &address(&app))
        .replace("10.0.0.12:3000", &address(&other))
        .replace("links.example.org", &origin);
    let path = folder.path().join("Caddyfile");
    fs::write(&path, &config).expect("a configuration");
    let command = ["caddy", "run", "--config", &path.display().to_string(), "--adapter", "caddyfile"];
    let caddy = Server::new("caddy", "KILL", &command);
    caddy.start("serving initial configuration").await.unwrap_or_else(|log| panic!("{config}\n{log}"));
    let site = Site::plain(port);
    a_node_may_stop(other, &site).await;
    is_of_use(&app, &site).await;
}

/// The document's snippet for one node is the one that is tried, but for the number of nodes.
#[test]
fn one_node_is_named_as_several_are() {
    let one = under("proxy", "nginx", "nginx").concat();
    let several = under("proxy", "Several nodes, and draining", "nginx").concat();
    let node =
        |text: &str, address: &str| text.lines().find(|line| line.contains(address)).map(str::to_owned);
    let wanted = node(&several, "10.0.0.11:3000").expect("a node").replace("10.0.0.11", "127.0.0.1");
    assert_eq!(node(&one, "127.0.0.1:3000"), Some(wanted));
}
