//! Requests that no well-behaved client sends, byte for byte.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::app::App;
use crate::support::on_both_engines;

/// The status line of the answer.
async fn status(app: &App, request: &str) -> String {
    app.raw(request).await.lines().next().unwrap_or_default().to_owned()
}

fn host(app: &App) -> String {
    app.origin().replace("http://", "")
}

on_both_engines!(a_request_is_for_one_host_and_that_is_ours);
async fn a_request_is_for_one_host_and_that_is_ours(app: App) {
    let host = host(&app);
    let end = "Connection: close\r\n\r\n";
    for path in ["/login", "/api/v1/tags", "/absent"] {
        for (wanted, request) in [
            ("200", format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n{end}")),
            ("200", format!("GET {path} HTTP/1.1\r\nhOST: {host}\r\n{end}")),
            ("200", format!("GET http://{host}{path} HTTP/1.1\r\nHost: {host}\r\n{end}")),
            ("400", format!("GET {path} HTTP/1.1\r\n{end}")),
            ("400", format!("GET {path} HTTP/1.0\r\n{end}")),
            ("400", format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nHost: {host}\r\n{end}")),
            ("400", format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nHost: evil.example\r\n{end}")),
            ("400", format!("GET http://evil.example{path} HTTP/1.1\r\nHost: {host}\r\n{end}")),
            ("421", format!("GET {path} HTTP/1.1\r\nHost: evil.example\r\n{end}")),
            ("421", format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{end}")),
            ("421", format!("GET {path} HTTP/1.1\r\nHost: {host}.evil.example\r\n{end}")),
            ("421", format!("GET {path} HTTP/1.1\r\nHost: \r\n{end}")),
            ("421", format!("GET http://evil.example{path} HTTP/1.1\r\nHost: evil.example\r\n{end}")),
        ] {
            let line = status(&app, &request).await;
            let known = wanted != "200" || path != "/absent";
            assert!(line.contains(if known { wanted } else { "404" }), "{line}\n{request}");
        }
    }
}

on_both_engines!(headers_have_a_size);
async fn headers_have_a_size(app: App) {
    let host = host(&app);
    let start = format!("GET /login HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n");
    let fits = format!("{start}X-Long: {}\r\n\r\n", "x".repeat(8_000));
    assert!(status(&app, &fits).await.contains("200"));
    let long = format!("{start}X-Long: {}\r\n\r\n", "x".repeat(20_000));
    let many = format!("{start}{}\r\n", "X-Many: x\r\n".repeat(200));
    let address =
        format!("GET /login?{} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n", "x".repeat(70_000));
    for request in [long, many, address] {
        let line = status(&app, &request).await;
        assert!(
            ["431", "414", "400"].iter().any(|status| line.contains(status)) || line.is_empty(),
            "{line}"
        );
    }
}

on_both_engines!(ambiguous_messages_are_refused);
async fn ambiguous_messages_are_refused(app: App) {
    let start = format!("POST /login HTTP/1.1\r\nHost: {}\r\nSec-Fetch-Site: same-origin\r\n", host(&app));
    let smuggled = "0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
    for headers in [
        "Content-Length: 3\r\nContent-Length: 4\r\n\r\na=b",
        "Content-Length: -1\r\n\r\n",
        "Content-Length: 99999999999999999999999\r\n\r\n",
        "Transfer-Encoding: chunked, identity\r\n\r\n",
        "Transfer-Encoding: gzip\r\n\r\n",
        "X-Folded: a\r\n b\r\nConnection: close\r\n\r\n",
        "X-Nul: a\0b\r\n\r\n",
        "X Space: a\r\n\r\n",
        "X-Space : a\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    ] {
        let answer = app.raw(format!("{start}{headers}")).await;
        assert!(answer.starts_with("HTTP/1.1 400") || answer.is_empty(), "{headers}: {answer}");
    }
    let both = format!(
        "{start}Content-Length: 3\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n{smuggled}"
    );
    let answers = app.raw(both).await;
    assert!(answers.matches("HTTP/1.1").count() <= 1, "one request, one answer: {answers}");
}

on_both_engines!(noise_is_answered_or_hung_up_on, "--header-timeout=1");
async fn noise_is_answered_or_hung_up_on(app: App) {
    for noise in [
        "\r\n\r\n",
        "GET\r\n\r\n",
        "\0\0\0\0\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "\x16\x03\x01\x02\0\x01\0\r\n\r\n",
        "GET /\u{e9} HTTP/1.1\r\n\r\n",
    ] {
        let answer = app.raw(noise).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{noise:?}: {answer}");
    }
    app.visitor().get("/healthz").await.ok();
}

on_both_engines!(addresses_with_bad_escapes_name_nothing);
async fn addresses_with_bad_escapes_name_nothing(app: App) {
    for path in ["/resources/%zz", "/resources/%", "/%", "/resources?q=%zz", "/resources?q=%"] {
        let request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", host(&app));
        let line = status(&app, &request).await;
        assert!(["200", "400", "404"].iter().any(|status| line.contains(status)), "{path}: {line}");
    }
}

on_both_engines!(a_slow_header_is_not_waited_for, "--header-timeout=1");
async fn a_slow_header_is_not_waited_for(app: App) {
    let answer = app.raw(format!("GET /login HTTP/1.1\r\nHost: {}\r\n", host(&app))).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{answer}");
}

const FORM: &str = "Content-Type: application/x-www-form-urlencoded\r\n";
const JSON: &str = "Content-Type: application/json\r\n";

on_both_engines!(a_slow_body_is_the_clients_fault, "--request-timeout=1");
async fn a_slow_body_is_the_clients_fault(app: App) {
    let start = format!("Host: {}\r\nSec-Fetch-Site: same-origin\r\n", host(&app));
    let announced = "Content-Length: 100\r\n";
    let chunked = "Transfer-Encoding: chunked\r\n";
    let upload = "Content-Type: multipart/form-data; boundary=x\r\n";
    for (path, rest) in [
        ("/login", format!("{announced}{FORM}\r\nlogin=a")),
        ("/login", format!("{announced}{FORM}\r\n")),
        ("/login", format!("{chunked}{FORM}\r\n7\r\nlogin=a\r\n")),
        ("/csp-report", format!("{announced}Content-Type: application/csp-report\r\n\r\n{{")),
    ] {
        let answer = app.raw(format!("POST {path} HTTP/1.1\r\n{start}{rest}")).await;
        assert!(answer.starts_with("HTTP/1.1 408"), "{path} {rest}: {answer}");
        assert!(answer.contains("connection: close"), "{answer}");
    }
    let ada = app.signed_in("ada").await;
    let session = ada.cookie("__Host-coffer").expect("a session");
    let cookie = format!("Cookie: __Host-coffer={session}\r\nX-CSRF-Token: {}\r\n", ada.token());
    let json = format!("POST /api/v1/resources HTTP/1.1\r\n{start}{cookie}{announced}{JSON}\r\n{{\"title\"");
    let api = app.raw(json).await;
    assert!(api.starts_with("HTTP/1.1 408") && api.contains("\"body_timed_out\""), "{api}");
    let file = format!("POST /import HTTP/1.1\r\n{start}{cookie}{announced}{upload}\r\n--x\r\n");
    let page = app.raw(file).await;
    assert!(page.starts_with("HTTP/1.1 408") && page.contains("did not arrive completely in time"), "{page}");
    assert_eq!(app.coffer.metrics.failures.take().len(), 0, "no failure of the server");
}

on_both_engines!(a_body_that_trickles_is_the_clients_fault, "--request-timeout=1");
async fn a_body_that_trickles_is_the_clients_fault(app: App) {
    let start =
        format!("POST /login HTTP/1.1\r\nHost: {}\r\nSec-Fetch-Site: same-origin\r\n{FORM}", host(&app));
    let mut stream = TcpStream::connect(app.origin().replace("http://", "")).await.expect("coffer listens");
    stream.write_all(format!("{start}Content-Length: 100\r\n\r\n").as_bytes()).await.expect("it reads");
    let (mut answers, mut bytes) = stream.into_split();
    let mut often = tokio::time::interval(Duration::from_millis(50));
    let trickle = async {
        loop {
            often.tick().await;
            if bytes.write_all(b"a").await.is_err() {
                return;
            }
        }
    };
    let answer = async {
        let mut answer = vec![0; 12];
        answers.read_exact(&mut answer).await.expect("an answer");
        String::from_utf8(answer).expect("text")
    };
    let answer = tokio::select! { answer = answer => answer, () = trickle => "nothing".to_owned() };
    assert_eq!(answer, "HTTP/1.1 408");
}

on_both_engines!(a_body_that_breaks_off_is_no_failure_of_the_server, "--request-timeout=2");
async fn a_body_that_breaks_off_is_no_failure_of_the_server(app: App) {
    for rest in
        [format!("Content-Length: 100\r\n{FORM}\r\nlogin=a"), format!("Content-Length: 100\r\n{JSON}\r\n{{")]
    {
        for path in ["/login", "/api/v1/auth/token", "/import"] {
            let mut stream =
                TcpStream::connect(app.origin().replace("http://", "")).await.expect("it listens");
            let request = format!("POST {path} HTTP/1.1\r\nHost: {}\r\n{rest}", host(&app));
            stream.write_all(request.as_bytes()).await.expect("it reads");
            stream.shutdown().await.expect("no more is sent");
            let mut answer = String::new();
            let _ = stream.read_to_string(&mut answer).await;
            assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{path} {rest}: {answer}");
        }
    }
    assert_eq!(app.coffer.metrics.failures.take().len(), 0);
}

on_both_engines!(the_same_host_may_be_written_otherwise, "--base-url=https://links.example.org");
async fn the_same_host_may_be_written_otherwise(app: App) {
    let ask = async |host: &str, more: &str| {
        status(
            &app,
            &format!("POST /login HTTP/1.1\r\nHost: {host}\r\n{more}{FORM}Connection: close\r\n\r\n"),
        )
        .await
    };
    for host in ["links.example.org", "links.example.org:443", "links.example.org.", "LINKS.example.org.:443"]
    {
        for origin in ["https://links.example.org", "https://links.example.org."] {
            let line = ask(host, &format!("Origin: {origin}\r\n")).await;
            assert!(line.contains("422"), "{host} {origin}: {line}");
        }
        assert!(ask(host, "Origin: https://links.example.org.evil.example\r\n").await.contains("403"));
        assert!(ask(host, "Origin: http://links.example.org\r\n").await.contains("403"));
    }
    for host in
        ["links.example.org:80", "links.example.org:8443", "links.example.org..", "x@links.example.org"]
    {
        assert!(ask(host, "").await.contains("421"), "{host}");
    }
    let absolute = "GET https://links.example.org:443/login HTTP/1.1\r\nHost: links.example.org\r\nConnection: close\r\n\r\n";
    assert!(status(&app, absolute).await.contains("200"));
}

on_both_engines!(the_wrong_address_names_the_right_one, "--base-url=https://links.example.org");
async fn the_wrong_address_names_the_right_one(app: App) {
    let visitor = app.visitor();
    let lost = visitor.get("/resources?q=a%26b").header("host", "evil.example").await.error_page(421);
    let lost = lost.has("main", "can only be reached at https://links.example.org").lacks("evil.example");
    assert_eq!(lost.attributes("main a.button", "href"), ["https://links.example.org/resources?q=a%26b"]);
    let sheets = lost.attributes("link[rel=stylesheet]", "href");
    assert!(!sheets.is_empty());
    for sheet in sheets {
        visitor.get(&sheet).header("host", "evil.example").await.ok();
    }
    let problem =
        visitor.get("/api/v1/tags").header("host", "10.0.0.1:3000").await.is(421).problem("wrong_host");
    problem.text_has("https://links.example.org").lacks("10.0.0.1");
}

on_both_engines!(an_address_of_this_machine_is_told_to_nobody);
async fn an_address_of_this_machine_is_told_to_nobody(app: App) {
    let lost = app.visitor().get("/login").header("host", "links.example.org").await.error_page(421);
    lost.has("main", "COFFER_BASE_URL").lacks("localhost").lacks("127.0.0.1");
}
