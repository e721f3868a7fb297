//! https by coffer itself: from files, which are taken up anew when they change.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::startup::Place;
use crate::support::https::Site;
use crate::support::server::free_port;
use crate::support::wait::eventually;

const LIMIT: Duration = Duration::from_mins(1);

/// A certificate for this machine, from an authority of its own.
fn certificate(folder: &Path) {
    fs::create_dir_all(folder).expect("a folder");
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support/certificates.sh");
    let made =
        Command::new("sh").args([script, "DNS:localhost"]).current_dir(folder).output().expect("sh runs");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
}

#[tokio::test]
async fn a_certificate_is_shown_and_renewed() {
    let (place, port) = (Place::new(), free_port());
    let path = |name: &str| place.path(name);
    for authority in ["first", "second"] {
        certificate(Path::new(&path(authority)));
    }
    fs::create_dir(path("tls")).expect("a folder");
    let put = |from: &str| {
        for file in ["server.key", "server.pem"] {
            fs::copy(path(&format!("{from}/{file}")), path(&format!("tls/{file}"))).expect("a copy");
        }
    };
    put("first");
    let origin = format!("https://localhost:{port}");
    let settings = [
        format!("--port={port}"),
        format!("--base-url={origin}"),
        format!("--tls-certificate={}", path("tls/server.pem")),
        format!("--tls-key={}", path("tls/server.key")),
        "--metrics-address=off".to_owned(),
    ];
    let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
    let (_server, _) = place.serves(&settings).await;
    let trusting = |authority: &str| Site::secure(port, Path::new(&path(&format!("{authority}/ca.pem"))));
    assert_eq!(trusting("first").get("/healthz", &[]).await.expect("a page by https").status, 200);
    assert!(trusting("second").get("/healthz", &[]).await.is_err(), "another authority");
    assert!(Site::plain(port).get("/healthz", &[]).await.is_err(), "plain http");
    let healthcheck = [&["healthcheck"], &settings[..]].concat();
    place.done(&healthcheck, &[]);

    // What can't be used changes nothing.
    fs::write(path("tls/server.pem"), "no certificate").expect("a file");
    place.done(&healthcheck, &[]);
    put("second");
    let renewed = eventually(LIMIT, async || {
        trusting("second").get("/healthz", &[]).await.map(drop).map_err(|e| e.to_string())
    });
    renewed.await.expect("the certificate of now");
    place.done(&healthcheck, &[]);
}

#[test]
fn a_certificate_that_cannot_be_used_is_named() {
    let place = Place::new();
    certificate(Path::new(&place.path("one")));
    certificate(Path::new(&place.path("other")));
    let (pem, key, other) =
        (place.path("one/server.pem"), place.path("one/server.key"), place.path("other/server.key"));
    for (certificate, key, sentence) in [
        (pem.as_str(), other.as_str(), "does not match the certificate"),
        (key.as_str(), key.as_str(), "contains no certificate"),
        (pem.as_str(), pem.as_str(), "contains no usable private key"),
        ("missing.pem", key.as_str(), "cannot read missing.pem"),
    ] {
        let variables = [
            ("COFFER_TLS_CERTIFICATE", certificate),
            ("COFFER_TLS_KEY", key),
            ("COFFER_BASE_URL", "https://localhost"),
            ("COFFER_PORT", "0"),
        ];
        for command in ["serve", "config"] {
            let said = place.refusal(&[command], &variables);
            assert!(said.contains(sentence), "{command}: {said}");
        }
    }
    let said = place.refusal(&["serve"], &[("COFFER_TLS_CERTIFICATE", pem.as_str())]);
    assert!(said.contains("--tls-key"), "{said}");
    let plain = [
        ("COFFER_TLS_CERTIFICATE", pem.as_str()),
        ("COFFER_TLS_KEY", place.path("one/server.key").leak() as &str),
    ];
    let said = place.refusal(&["serve"], &plain);
    assert!(said.contains("COFFER_BASE_URL"), "{said}");
    place.done(&["seed", "--count=1"], &[]);
    let said = place.done(&["doctor"], &[&plain[..], &[("COFFER_BASE_URL", "https://localhost")]].concat());
    assert!(said.contains("ok    visitors"), "no proxy stands before it: {said}");
}
