//! Requests that no well-behaved client sends, byte for byte.

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

on_both_engines!(a_slow_body_is_not_waited_for, "--request-timeout=1");
async fn a_slow_body_is_not_waited_for(app: App) {
    let start = format!(
        "Host: {}\r\nSec-Fetch-Site: same-origin\r\nContent-Length: 100\r\nConnection: close\r\n",
        host(&app)
    );
    let form = "Content-Type: application/x-www-form-urlencoded\r\n\r\nlogin=a";
    let page = app.raw(format!("POST /login HTTP/1.1\r\n{start}{form}")).await;
    assert!(page.starts_with("HTTP/1.1 503") && page.contains("retry-after: 5"), "{page}");
    let json = "Content-Type: application/json\r\n\r\n{\"title\"";
    let api = app.raw(format!("POST /api/v1/resources HTTP/1.1\r\n{start}{json}")).await;
    assert!(api.starts_with("HTTP/1.1 503") && api.contains("\"timed_out\""), "{api}");
}
