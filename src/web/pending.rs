//! A form on its way to its handler. If it does not get there, the answer holds what was typed: in a prompt that sends
//! it on, or in the error page, to be copied.

use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse as _, Response};
use futures_util::future::BoxFuture;
use url::form_urlencoded;

use super::body;
use super::csrf::{self, FIELD, HEADER};
use super::error::Cause;
use super::forms::{FORM_LIMIT, pairs};
use super::page_context::local_path;
use crate::error::{Error, Result};
use crate::public_url::PublicUrl;

type Fields = Vec<(String, String)>;

/// The fields that people type into, and what their forms call them; never a password or a token.
const TYPED: [(&str, &str); 7] = [
    ("url", "Address"),
    ("title", "Title"),
    ("body", "Text"),
    ("tags", "Tags"),
    ("email", "Email"),
    ("username", "Username"),
    ("display_name", "Display name"),
];

#[derive(Clone, Debug)]
pub struct PendingForm {
    pub action: String,
    fields: Fields,
}

pub struct TypedField<'a> {
    pub label: &'static str,
    pub value: &'a str,
}

/// What was filled into a prompt, which is no part of the form that came with it.
#[derive(Clone)]
pub struct Answers(Fields);

/// A form's request, whose body was read and put back.
pub struct Sent {
    pub form: PendingForm,
    pub answers: Answers,
    pub request: Request,
}

/// The answer to a request that gets no further. In a box, as it is rare.
#[must_use]
pub fn refuse(site: &PublicUrl, error: Error, request: Request) -> BoxFuture<'_, Response> {
    Box::pin(async move {
        let response = error.into_response();
        let is_form = csrf::content_type(request.headers()) == "application/x-www-form-urlencoded";
        if !is_form || csrf::check_origin(site, &request).is_err() {
            return response;
        }
        match Sent::read(request).await {
            Ok(sent) => sent.form.keep(response),
            Err(_) => response,
        }
    })
}

impl Sent {
    pub async fn read(request: Request) -> Result<Self> {
        let (parts, unread) = request.into_parts();
        let bytes = body::read(unread, FORM_LIMIT).await?;
        let (answers, mut fields): (Fields, Fields) =
            pairs(&bytes)?.into_iter().partition(|(name, _)| Answers::is_one(name));
        let token = parts.headers.get(HEADER).and_then(|token| token.to_str().ok());
        if let Some(token) = token.filter(|_| !fields.iter().any(|(name, _)| name == FIELD)) {
            fields.push((FIELD.to_owned(), token.to_owned()));
        }
        let action = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        let form = PendingForm::new(action, fields);
        Ok(Self { form, answers: Answers(answers), request: Request::from_parts(parts, Body::from(bytes)) })
    }
}

impl PendingForm {
    #[must_use]
    pub fn new(action: &str, fields: Fields) -> Self {
        Self { action: local_path(action).to_owned(), fields }
    }

    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        find(&self.fields, name)
    }

    /// Whether a field must not be written into a page.
    #[must_use]
    pub fn has_secrets(&self) -> bool {
        self.fields.iter().any(|(name, _)| is_secret(name))
    }

    /// The fields that a prompt repeats.
    pub fn hidden(&self) -> impl Iterator<Item = &(String, String)> {
        self.fields.iter().filter(|(name, _)| !is_secret(name))
    }

    #[must_use]
    pub fn typed(&self) -> Vec<TypedField<'_>> {
        let filled = self.fields.iter().filter(|(_, value)| !value.trim().is_empty());
        let typed = filled.filter_map(|(name, value)| {
            let (_, label) = TYPED.into_iter().find(|(typed, _)| typed == name)?;
            Some(TypedField { label, value })
        });
        typed.collect()
    }

    /// So that another session can send it.
    pub fn set_token(&mut self, token: &str) {
        self.fields.retain(|(name, _)| name != FIELD);
        self.fields.push((FIELD.to_owned(), token.to_owned()));
    }

    pub fn body(&self) -> Body {
        Body::from(form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.fields).finish())
    }

    /// Attaches the form to the error that it ended in.
    #[must_use]
    pub fn keep(self, mut response: Response) -> Response {
        if response.extensions().get::<Cause>().is_some() {
            response.extensions_mut().insert(self);
        }
        response
    }
}

impl Answers {
    pub const LOGIN: &str = "signin_login";
    pub const PASSWORD: &str = "signin_password";
    pub const CODE: &str = "signin_code";
    pub const STAY: &str = "signin_stay";
    pub const SUDO_PASSWORD: &str = "sudo_password";
    pub const SUDO_CODE: &str = "sudo_code";

    fn is_one(name: &str) -> bool {
        name.starts_with("signin_") || name.starts_with("sudo_")
    }

    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        find(&self.0, name)
    }

    #[must_use]
    pub fn has_log_in(&self) -> bool {
        self.0.iter().any(|(name, _)| name.starts_with("signin_"))
    }
}

fn find<'a>(fields: &'a Fields, name: &str) -> Option<&'a str> {
    fields.iter().find(|(sent, _)| sent == name).map(|(_, value)| value.as_str())
}

fn is_secret(name: &str) -> bool {
    name.contains("password") || name.contains("code")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::page_context::HOME;

    #[test]
    fn a_form_goes_to_no_other_site() {
        for action in ["//evil.example/resources", "/\\evil.example", "https://evil.example/"] {
            assert_eq!(PendingForm::new(action, Vec::new()).action, HOME);
        }
        assert_eq!(PendingForm::new("/tags?q=1", Vec::new()).action, "/tags?q=1");
    }
}
