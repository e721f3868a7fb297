//! Traefik by the document's own files.

use std::fs;
use std::path::Path;
use std::time::Duration;

use super::{Ports, a_node_may_stop, address, certificate, folder, is_of_use, nodes};
use crate::support::app::Node;
use crate::support::documents::under;
use crate::support::https::Site;
use crate::support::server::Server;
use crate::support::wait::eventually;

const LIMIT: Duration = Duration::from_secs(30);

/// Debian has none; `bin/setup` brings it from `PyPI`.
fn traefik() -> String {
    let cache = std::env::var("XDG_CACHE_HOME")
        .unwrap_or_else(|_| format!("{}/.cache", std::env::var("HOME").expect("a home")));
    format!("{cache}/coffer/traefik/bin/traefik")
}

/// The document's two files, with what is here in place of what they name. The path of the first.
fn written(folder: &Path, nodes: [&Node; 2], ports: Ports) -> String {
    let path = |name: &str| folder.join(name).display().to_string();
    let [fixed, routes]: [String; 2] = under("proxy", "Traefik", "yaml").try_into().expect("two files");
    let several = under("proxy", "Several nodes, and draining", "yaml").concat();
    let one = "        servers:\n          - url: http://127.0.0.1:3000\n";
    assert!(routes.contains(one), "{routes}");
    let routes = routes
        .replace(one, &several)
        .replace("10.0.0.11:3000", &address(nodes[0]))
        .replace("10.0.0.12:3000", &address(nodes[1]))
        .replace("links.example.org", "localhost")
        .replace("tls:\n        certResolver: letsencrypt", "tls: {}");
    let pair = [path("server.pem"), path("server.key")];
    let own = format!("tls: {{certificates: [{{certFile: '{}', keyFile: '{}'}}]}}\n", pair[0], pair[1]);
    fs::write(path("coffer.yml"), routes + &own).expect("a file");
    let fixed = fixed
        .replace(":80\"", &format!("127.0.0.1:{}\"", ports.plain))
        .replace(":443\"", &format!("127.0.0.1:{}\"", ports.secure))
        .replace("/etc/traefik/coffer.yml", &path("coffer.yml"))
        .replace("/var/lib/traefik", &path(""));
    fs::write(path("traefik.yml"), fixed + "log: {level: INFO}\n").expect("a file");
    path("traefik.yml")
}

#[tokio::test]
async fn traefik_with_https_and_two_nodes() {
    let (folder, ports) = (folder(), Ports::free());
    certificate(folder.path());
    let (app, other) = nodes(&format!("https://localhost:{}", ports.secure)).await;
    let file = written(folder.path(), [&app, &other], ports);
    let server = Server::new("traefik", "KILL", &[&traefik(), &format!("--configFile={file}")]);
    server.start("Starting provider").await.unwrap_or_else(|log| panic!("Traefik doesn't start: {log}"));
    let site = Site::secure(ports.secure, &folder.path().join("ca.pem"));
    let answers = eventually(LIMIT, async || match site.get("/healthz", &[]).await {
        Ok(reply) if reply.status == 200 => Ok(()),
        Ok(reply) => Err(reply.text),
        Err(error) => Err(error.to_string()),
    });
    answers.await.expect("it takes the routes up");
    assert_eq!(Site::plain(ports.plain).get("/", &[]).await.expect("an answer").status, 301);
    a_node_may_stop(other, &site).await;
    is_of_use(&app, &site).await;
}
