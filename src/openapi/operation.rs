//! What every operation says: who may ask, the errors that any answer may be, headers by name, examples.

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use super::texts;
use crate::error::Code;
use crate::web::json::BODY_LIMIT;

/// Credentials in the order in which a program should choose.
const WAYS: [&str; 2] = ["bearer", "session"];

/// `schemas`: those of the document, by name.
pub fn complete(method: &str, operation: &mut Value, schemas: &Value) {
    let access = Access::new(operation);
    access.describe(operation);
    for parameter in operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten() {
        may_be_empty(parameter);
        texts::describe_parameter(parameter);
    }
    let errors = errors(operation, &access, method);
    let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) else { return };
    for code in errors {
        tell(responses, code);
    }
    for (status, response) in responses {
        complete_response(status, response, schemas);
    }
    if let Some(body) = operation.get_mut("requestBody") {
        tell_limit(body);
        add_examples(body, schemas);
    }
}

/// Who may ask, as the operation's `security` has it.
struct Access {
    /// Visitors too.
    is_open: bool,
    /// What a token needs.
    scope: Option<String>,
}

impl Access {
    /// Puts the ways to sign in into their order, too.
    fn new(operation: &mut Value) -> Self {
        let Some(ways) = operation.get_mut("security").and_then(Value::as_array_mut) else {
            return Self { is_open: true, scope: None };
        };
        ways.sort_by_key(|way| WAYS.iter().position(|name| way.get(name).is_some()).unwrap_or(WAYS.len()));
        let scope = ways.iter().find_map(|way| way["bearer"][0].as_str().map(str::to_owned));
        let is_open = ways.iter().any(|way| way.as_object().is_some_and(Map::is_empty));
        if scope.is_none() {
            // Generators take an empty list alone for "needs nothing".
            ways.clear();
        }
        Self { is_open, scope }
    }

    fn describe(&self, operation: &mut Value) {
        let Some(scope) = &self.scope else { return };
        let who = if self.is_open { "Also available without logging in. A" } else { "A" };
        let needs = format!("{who} token needs the scope `{scope}`.");
        let description = operation["description"].as_str().filter(|text| !text.is_empty());
        operation["description"] =
            description.map_or(needs.clone(), |text| format!("{text}\n\n{needs}")).into();
    }
}

/// What may be left out of a query may also be left empty.
fn may_be_empty(parameter: &mut Value) {
    if parameter["in"] == "query" && parameter["required"] != true {
        parameter["allowEmptyValue"] = true.into();
    }
}

/// The errors that an operation need not name itself.
fn errors(operation: &Value, access: &Access, method: &str) -> Vec<Code> {
    let has_body = operation.get("requestBody").is_some();
    let parameters = operation["parameters"].as_array();
    let has_query = parameters.is_some_and(|all| all.iter().any(|parameter| parameter["in"] == "query"));
    let groups: [(bool, &[Code]); 6] = [
        (true, &[Code::BadRequest, Code::BadHost, Code::WrongHost, Code::TooManyRequests, Code::Internal]),
        (true, &[Code::Busy, Code::TimedOut, Code::Unavailable]),
        (method != "get", &[Code::OutcomeUnknown]),
        (has_query, &[Code::BadParameter, Code::InvalidUtf8]),
        (access.scope.is_some() && !access.is_open, &[Code::SignInRequired]),
        (
            has_body,
            &[
                Code::MalformedJson,
                Code::BadBody,
                Code::BodyTimedOut,
                Code::TooLarge,
                Code::UnsupportedMediaType,
                Code::Invalid,
            ],
        ),
    ];
    let of_tokens = [
        Code::BadToken,
        Code::TokenExpired,
        Code::TokenRevoked,
        Code::InsufficientScope,
        Code::Forbidden,
        Code::CrossSite,
        Code::SecondFactorRequired,
    ];
    let general = groups.iter().filter(|(holds, _)| *holds).flat_map(|(_, codes)| codes.iter().copied());
    general.chain(of_tokens.into_iter().filter(|_| access.scope.is_some())).collect()
}

/// Names the code in the answer with its status.
fn tell(responses: &mut Map<String, Value>, code: Code) {
    let status = match code {
        // Signing in answers 401 with it, and names that itself.
        Code::SecondFactorRequired => StatusCode::FORBIDDEN,
        _ => code.about().status,
    };
    let response = responses.entry(status.as_str()).or_insert_with(|| {
        json!({
            "description": "",
            "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } },
        })
    });
    let (name, description) = (code.as_str(), response["description"].as_str().unwrap_or_default());
    if !codes(description).any(|code| code == name) {
        let comma = if description.is_empty() { "" } else { ", " };
        response["description"] = format!("{description}{comma}`{name}`").into();
    }
}

/// Files have a limit of their own, which the operator sets.
fn tell_limit(body: &mut Value) {
    if body["content"].get("application/json").is_some() {
        body["description"] = format!("At most {} MiB of JSON.", BODY_LIMIT >> 20).into();
    }
}

fn complete_response(status: &str, response: &mut Value, schemas: &Value) {
    let own = response["headers"].as_object().map(|headers| headers.keys().cloned().collect::<Vec<_>>());
    let also: &[&str] = match status {
        "401" | "403" => &["WWW-Authenticate"],
        "409" if says(response, Code::IdempotencyKeyInUse) => &["Retry-After"],
        "429" => &["RateLimit", "RateLimit-Policy", "Retry-After"],
        "503" => &["Retry-After"],
        _ if status.starts_with(['2', '3']) => &["RateLimit", "RateLimit-Policy"],
        _ => &[],
    };
    let names = own.unwrap_or_default().into_iter().chain(also.iter().map(|name| (*name).to_owned()));
    let headers: Map<String, Value> =
        names.map(|name| (name.clone(), json!({ "$ref": format!("#/components/headers/{name}") }))).collect();
    if let Some(response) = response.as_object_mut() {
        response.remove("headers");
        if !headers.is_empty() {
            response.insert("headers".to_owned(), headers.into());
        }
    }
    let description = response["description"].as_str().unwrap_or_default().to_owned();
    if let Some(problem) = response.pointer_mut("/content/application~1problem+json") {
        problem["examples"] =
            codes(&description).map(|code| (code.to_owned(), reference(code))).collect::<Map<_, _>>().into();
    } else {
        add_examples(response, schemas);
    }
}

fn says(response: &Value, code: Code) -> bool {
    codes(response["description"].as_str().unwrap_or_default()).any(|name| name == code.as_str())
}

fn codes(description: &str) -> impl Iterator<Item = &str> {
    description.split('`').skip(1).step_by(2).filter(|name| Code::parse(name).is_some())
}

fn reference(code: &str) -> Value {
    json!({ "$ref": format!("#/components/examples/{code}") })
}

/// To each body that is a schema with a name, or a text of some kind.
fn add_examples(message: &mut Value, schemas: &Value) {
    let content = message.get_mut("content").and_then(Value::as_object_mut);
    for (kind, body) in content.into_iter().flatten() {
        let name = body["schema"]["$ref"].as_str().and_then(|target| target.rsplit('/').next());
        if let Some(mut example) = texts::example(name.unwrap_or(kind)) {
            texts::fill(&mut example, &body["schema"], schemas);
            body["example"] = example;
        }
    }
}
