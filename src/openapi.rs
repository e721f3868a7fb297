//! The API's description of itself: what stands beside the handlers, and the answers that any of them may give.

use utoipa::OpenApi;
use utoipa::openapi::extensions::Extensions;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{Operation, Parameter, ParameterIn, PathItem};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Required, Response, ResponseBuilder};

use crate::resources::Kind;
use crate::resources::listing::Sort;
use crate::web::json::Problem;

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
    components(schemas(Problem, Kind, Sort)),
    tags(
        (name = "account", description = "Signing in, and what belongs to an account: devices and tokens."),
        (name = "resources", description = "Links and notes, their versions and their trash."),
        (name = "tags", description = "The tags of what you may see."),
        (name = "people", description = "The public face of those who show something."),
        (name = "admin", description = "For administrators: accounts, the audit trail, limits and figures."),
    ),
)]
pub struct Document;

struct Schemes;

impl utoipa::Modify for Schemes {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let mut bearer = Http::new(HttpAuthScheme::Bearer);
        bearer.description = Some(
            "A personal token, `cof_[0-9A-Za-z]{49}`, or an access token, `coa_…`; each route names the scope that it needs."
                .to_owned(),
        );
        let cookie = SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new("__Host-coffer")));
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
        components.add_security_scheme("session", cookie);
    }
}

/// Adds to every operation the scope that it needs and the errors that it doesn't name itself; what may be left out of a
/// query may also be left empty.
pub fn complete(document: &mut utoipa::openapi::OpenApi) {
    for operation in document.paths.paths.values_mut().flat_map(operations) {
        let access = Access::of(operation);
        describe(operation, &access);
        operation.parameters.iter_mut().flatten().for_each(may_be_empty);
        for (status, description, waits) in errors(operation, &access) {
            let responses = &mut operation.responses.responses;
            responses.entry(status.to_owned()).or_insert_with(|| problem(description, waits).into());
        }
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete].into_iter().flatten()
}

/// Who may ask, as the operation's `security` has it.
struct Access {
    /// Visitors too.
    is_open: bool,
    /// What a token needs.
    scope: Option<String>,
}

impl Access {
    fn of(operation: &Operation) -> Self {
        let security = serde_json::to_value(&operation.security).unwrap_or_default();
        let ways = security.as_array().cloned().unwrap_or_default();
        let scope = ways.iter().find_map(|way| way["bearer"][0].as_str().map(str::to_owned));
        Self { is_open: ways.iter().any(|way| way.as_object().is_some_and(serde_json::Map::is_empty)), scope }
    }
}

fn describe(operation: &mut Operation, access: &Access) {
    let Some(scope) = &access.scope else { return };
    let who = if access.is_open { "Visitors may ask too; a" } else { "A" };
    let needs = format!("{who} token needs the scope `{scope}`.");
    let description = operation.description.take().filter(|text| !text.is_empty());
    operation.description = Some(description.map_or(needs.clone(), |text| format!("{text}\n\n{needs}")));
}

fn may_be_empty(parameter: &mut RefOr<Parameter>) {
    let RefOr::T(parameter) = parameter else { return };
    if parameter.parameter_in == ParameterIn::Query && parameter.required == Required::False {
        // Where utoipa has no field of its own.
        parameter.extensions = Some(Extensions::from_iter([("allowEmptyValue", true)]));
    }
}

/// Status, description, and whether the answer says when to come back.
fn errors(operation: &Operation, access: &Access) -> Vec<(&'static str, &'static str, bool)> {
    let has_body = operation.request_body.is_some();
    let mut errors = vec![
        (
            "400",
            if has_body { "`malformed_json`, `bad_body`, `bad_request`" } else { "`bad_request`" },
            false,
        ),
        ("421", "`wrong_host`", false),
        ("429", "`too_many_requests`", true),
        ("500", "`internal`; the log knows more", false),
        ("503", "`busy`, `timed_out`, `unavailable`", true),
    ];
    if access.scope.is_some() {
        let credentials = if access.is_open {
            "For a token `bad_token`, `token_expired`"
        } else {
            "`sign_in_required`; for a token `bad_token`, `token_expired`"
        };
        errors.push(("401", credentials, false));
        errors.push((
            "403",
            "`forbidden`, `second_factor_required`; for a session `cross_site`, for a token `insufficient_scope`",
            false,
        ));
    }
    if has_body {
        errors.push(("408", "`body_timed_out`: the body did not come in time", false));
        errors.push(("413", "`too_large`", false));
        errors.push(("415", "`unsupported_media_type`", false));
        errors.push(("422", "`invalid`, with one entry per field", false));
    }
    errors
}

fn problem(description: &str, waits: bool) -> Response {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    let response =
        ResponseBuilder::new().description(description).content("application/problem+json", content);
    if !waits {
        return response.build();
    }
    let seconds = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0)).build();
    let wait = HeaderBuilder::new().schema(Some(seconds)).description(Some("Seconds to wait")).build();
    response.header("Retry-After", wait).build()
}
