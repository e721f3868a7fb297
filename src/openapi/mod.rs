//! The API's description of itself: what stands beside the handlers here, what holds for every operation in `operation`,
//! texts and examples in `texts`.

mod operation;
pub mod pages;
mod reference;
mod texts;

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use axum::body::Bytes;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue, Uri};
use axum::response::IntoResponse as _;
use axum::routing::{MethodRouter, any, get};
use serde_json::{Value, json};
use utoipa::OpenApi;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};

use crate::error::Error;
use crate::web::etag;
use crate::web::json::Problem;

/// From here on an address was probably mistyped for another.
const ALIKE: f64 = 0.8;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "coffer",
        description = "Links and notes as JSON. Errors are problem+json (RFC 9457) with a stable `code`. \
            Programs send `Authorization: Bearer` with a personal token from the settings, or with an access token from \
            `/auth/token`. The browser's session cookie works too; changes then need the header `X-CSRF-Token` with the \
            value from `/me`.",
        license(name = "MIT", identifier = "MIT")
    ),
    servers((url = "/", description = "The coffer that serves this document")),
    modifiers(&Schemes),
    components(schemas(Problem)),
    tags(
        (name = "account", description = "Logging in, devices and tokens."),
        (name = "resources", description = "Links and notes, their versions and their trash."),
        (name = "imports", description = "Files of bookmarks: a preview, the import, and its undo."),
        (name = "tags", description = "The tags of what you may see."),
        (name = "webhooks", description = "Messages to your own server about changes in your library."),
        (name = "shares", description = "Unlisted addresses of what you share."),
        (name = "people", description = "Public profiles."),
        (name = "admin", description = "For administrators: accounts, audit trail, limits and metrics."),
    ),
)]
pub struct Document;

struct Schemes;

impl utoipa::Modify for Schemes {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let mut bearer = Http::new(HttpAuthScheme::Bearer);
        bearer.description = Some(
            "A personal token, `cof_[0-9A-Za-z]{49}`, or an access token, `coa_…`; each route names the scope it needs."
                .to_owned(),
        );
        let cookie = SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new("__Host-coffer")));
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
        components.add_security_scheme("session", cookie);
    }
}

/// The document of the API below this path, with what is the same for every operation.
pub fn complete(document: &utoipa::openapi::OpenApi, path: &str) -> Value {
    let mut document = serde_json::to_value(document).unwrap_or_default();
    let components = &mut document["components"];
    texts::describe_properties(&mut components["schemas"]);
    components["schemas"]["ErrorCode"] = texts::error_codes();
    components["schemas"]["Problem"]["properties"]["code"] =
        json!({ "$ref": "#/components/schemas/ErrorCode", "description": "A stable name for the error." });
    components["headers"] = headers();
    let schemas = components["schemas"].clone();
    let paths = document["paths"].as_object_mut().into_iter().flat_map(|paths| paths.values_mut());
    for item in paths.filter_map(Value::as_object_mut) {
        for (method, operation) in item {
            operation::complete(method, operation, &schemas);
        }
    }
    document["components"]["examples"] = texts::problems(&document["paths"].to_string(), path);
    // Clients append paths, which begin with a slash.
    for server in document["servers"].as_array_mut().into_iter().flatten().filter(|_| !path.is_empty()) {
        server["url"] = path.into();
    }
    document
}

/// Hands the document out. It is written when it is first asked for, as few installations are ever asked.
pub fn serve(document: impl Fn() -> Value + Send + Sync + 'static) -> MethodRouter {
    let written = Arc::new(LazyLock::new(move || {
        let bytes = Bytes::from(document().to_string());
        let tag = format!("\"{:08x}\"", crc32fast::hash(&bytes));
        (bytes, tag)
    }));
    get(async move |headers: HeaderMap| {
        let (bytes, tag) = LazyLock::force(&written).clone();
        let kind = HeaderValue::from_static("application/json");
        etag::unless_known(&headers, tag, || ([(CONTENT_TYPE, kind)], bytes).into_response())
    })
}

/// For addresses in the API that are none: names the nearest that is one.
pub fn elsewhere(document: &utoipa::openapi::OpenApi) -> MethodRouter {
    let paths: Arc<[String]> = document.paths.paths.keys().cloned().collect();
    any(async move |uri: Uri| {
        let likeness = |path: &&String| strsim::normalized_levenshtein(path, uri.path());
        let nearest = paths.iter().max_by(|one, other| likeness(one).total_cmp(&likeness(other)));
        Error::UnknownRoute(nearest.filter(|path| likeness(path) > ALIKE).cloned())
    })
}

pub fn methods(document: &utoipa::openapi::OpenApi) -> HashMap<String, Vec<&'static str>> {
    let of = |item: &utoipa::openapi::PathItem| {
        let methods = [
            ("DELETE", item.delete.is_some()),
            ("GET", item.get.is_some()),
            ("HEAD", item.get.is_some()),
            ("PATCH", item.patch.is_some()),
            ("POST", item.post.is_some()),
            ("PUT", item.put.is_some()),
        ];
        methods.into_iter().filter(|(_, is_there)| *is_there).map(|(name, _)| name).collect()
    };
    document.paths.paths.iter().map(|(path, item)| (path.clone(), of(item))).collect()
}

/// The headers that operations refer to by name.
fn headers() -> Value {
    json!({
        "ETag": header("The version of this response, for `If-None-Match` and `If-Match`", &json!({ "type": "string", "examples": ["\"3\""] })),
        "Location": header("The path of the new resource", &json!({ "type": "string", "format": "uri-reference" })),
        "Link": header("The next page, as `rel=\"next\"` (RFC 8288)", &json!({ "type": "string" })),
        "Content-Disposition": header("The name of the file", &json!({ "type": "string" })),
        "Idempotency-Replayed": header("`true` if this is the response to an earlier request with the same `Idempotency-Key`", &json!({ "type": "string", "enum": ["true"] })),
        "Retry-After": header("Seconds to wait", &json!({ "type": "integer", "minimum": 0 })),
        "RateLimit": header("The rest of each limit, and in how many seconds it increases", &json!({ "type": "string", "examples": ["\"token\";r=19;t=1"] })),
        "RateLimit-Policy": header("The limits that apply to the request: a quota per number of seconds", &json!({ "type": "string", "examples": ["\"token\";q=100;w=10"] })),
        "WWW-Authenticate": header("How to authenticate (RFC 6750)", &json!({ "type": "string", "examples": ["Bearer realm=\"coffer\", error=\"invalid_token\""] })),
    })
}

fn header(description: &str, schema: &Value) -> Value {
    json!({ "description": description, "schema": schema })
}
