//! The codes of all errors of the API: what each means, where it comes from, and what helps.

use axum::http::StatusCode;

use crate::named::named;

pub struct About {
    pub status: StatusCode,
    pub meaning: &'static str,
    pub cause: &'static str,
    pub remedy: &'static str,
}

macro_rules! codes {
    ($($code:ident = $text:literal, $status:ident, $meaning:literal, $cause:literal, $remedy:literal;)*) => {
        named! {
            /// The stable name of an error.
            pub enum Code {
                $($code = $text),*
            }
        }

        impl Code {
            pub const fn about(self) -> About {
                match self {
                    $(Self::$code => About {
                        status: StatusCode::$status,
                        meaning: $meaning,
                        cause: $cause,
                        remedy: $remedy,
                    },)*
                }
            }
        }
    };
}

codes! {
    BadBody = "bad_body", BAD_REQUEST, "The body can’t be read.",
        "The connection was interrupted, or the bytes don’t match the headers.", "Send the request again.";
    BadCursor = "bad_cursor", BAD_REQUEST, "The cursor is not valid for this list.",
        "It was changed, cut short, or issued for a different order, or the server has a new key.", "Start again from the first page.";
    BadHost = "bad_host", BAD_REQUEST, "The request doesn’t name its host.",
        "It has no Host header, or more than one.", "Send exactly one Host header.";
    BadIdempotencyKey = "bad_idempotency_key", BAD_REQUEST, "Idempotency-Key can’t be read, or is not taken here.",
        "It is empty, longer than 255 characters, or not visible ASCII; or the answer holds a secret, which is not kept.",
        "Send a new UUID with each request; leave it out where the answer holds a secret.";
    BadIfMatch = "bad_if_match", BAD_REQUEST, "If-Match can’t be read.",
        "It contains something other than * or an ETag with its quotes.", "Send the ETag exactly as you received it.";
    BadParameter = "bad_parameter", BAD_REQUEST, "A query parameter is unknown or has an invalid value.",
        "Its name or value is mistyped, or it was sent twice.", "The detail names it. The reference lists all parameters.";
    BadQuery = "bad_query", BAD_REQUEST, "The search can’t be read.",
        "It breaks a rule of the search syntax, or has a word with a colon that is not a filter.",
        "The detail explains the problem, and position shows where it is.";
    BadRequest = "bad_request", BAD_REQUEST, "The request can’t be read.",
        "Its address or its headers are malformed.", "Check how your program builds the address.";
    BadUpload = "bad_upload", BAD_REQUEST, "The uploaded form can’t be read.",
        "It is incomplete, or is not multipart/form-data.", "Send it again.";
    InvalidUtf8 = "invalid_utf8", BAD_REQUEST, "The query string or the form is not UTF-8.",
        "Text in a different encoding was percent-encoded.", "Encode text as UTF-8 first.";
    MalformedJson = "malformed_json", BAD_REQUEST, "The body is not JSON.",
        "A comma, a quote or the end is missing.", "Use a JSON library to write the body.";
    BadCredentials = "bad_credentials", UNAUTHORIZED, "Wrong username or password.",
        "One of them is mistyped, or the account is disabled.", "Ask the user for both again.";
    BadToken = "bad_token", UNAUTHORIZED, "The bearer token is invalid.",
        "It was mistyped, cut short, or revoked long ago.", "Create a new one, or log in again.";
    SecondFactorRequired = "second_factor_required", UNAUTHORIZED, "Two-step login is required.",
        "The account uses it and no current code was sent. With 403, the site requires it and the account hasn’t set it up yet.",
        "Send a current code as code. With 403, set up two-step login first.";
    SignInRequired = "sign_in_required", UNAUTHORIZED, "You are not logged in.",
        "The request has neither a token nor a session.", "Send Authorization: Bearer with a token.";
    TokenExpired = "token_expired", UNAUTHORIZED, "The token has expired.",
        "Access tokens expire after 15 minutes, personal tokens on the day chosen for them.",
        "Renew an access token at /auth/refresh, or create a new personal token.";
    TokenRevoked = "token_revoked", UNAUTHORIZED, "The token was revoked.",
        "Its owner revoked or rotated it, logged the device out, or changed the password.", "Create a new one, or log in again.";
    TokenReused = "token_reused", UNAUTHORIZED, "The refresh token has already been used.",
        "Two programs use the same one, or it was stolen.", "Log in again. All tokens issued from it are revoked.";
    WrongCode = "wrong_code", UNAUTHORIZED, "The two-step login code is wrong.",
        "It was mistyped or has expired.", "Send the next code.";
    CodeUsed = "code_used", UNAUTHORIZED, "The two-step login code has already been used.",
        "Each code works once, and this or another program has already sent it.", "Wait for the next code and send that.";
    CrossSite = "cross_site", FORBIDDEN, "The request didn’t come from one of coffer’s own pages.",
        "A browser sent it with the session cookie from another site, or without X-CSRF-Token.",
        "Send the csrf value from /me as X-CSRF-Token, or use a token instead of the cookie.";
    Forbidden = "forbidden", FORBIDDEN, "This is not allowed at the moment.",
        "The detail gives the reason.", "Follow the detail, then try again.";
    InsufficientScope = "insufficient_scope", FORBIDDEN, "The token doesn’t have permission for that.",
        "It lacks the scope that this operation needs.", "Create a token with the scope named in the detail.";
    SudoRequired = "sudo_required", FORBIDDEN, "The password must be confirmed.",
        "The action is sensitive, and the session’s last confirmation is more than ten minutes old.",
        "Ask the user to confirm at /sudo, or use a token.";
    NotFound = "not_found", NOT_FOUND, "This doesn’t exist, or you don’t have access to it.",
        "It was deleted, belongs to someone else, or the id is wrong.", "Read the list again.";
    UnknownRoute = "unknown_route", NOT_FOUND, "This API address doesn’t exist.",
        "It is mistyped, or belongs to another version of the API.", "nearest names the closest match.";
    MethodNotAllowed = "method_not_allowed", METHOD_NOT_ALLOWED, "This address doesn’t support this method.",
        "The method is wrong for this path.", "allowed_methods and the Allow header list the methods it supports.";
    BodyTimedOut = "body_timed_out", REQUEST_TIMEOUT, "The body did not arrive in time.",
        "The connection is slow, or the sender stopped.", "Nothing was changed. Send it again.";
    DuplicateUrl = "duplicate_url", CONFLICT, "You’ve already saved this link.",
        "Another of your entries has the same normalized URL.", "Change the entry with the id in existing_id.";
    IdempotencyKeyInUse = "idempotency_key_in_use", CONFLICT, "The first request with this Idempotency-Key is still being processed.",
        "Your program sent it again before receiving the response.", "Wait for the number of seconds in Retry-After, then send it again.";
    LastAdmin = "last_admin", CONFLICT, "No administrator would be left.",
        "This is the last administrator who can log in.", "Make another account an administrator first.";
    Trashed = "trashed", CONFLICT, "The entry is in the trash.",
        "It was moved there, possibly by another client.", "Restore it first, then change it.";
    WrongState = "wrong_state", CONFLICT, "This can’t be done in its current state.",
        "It was already done, or it is too late.", "Read it again. The detail says when this can be done.";
    CursorExpired = "cursor_expired", GONE, "Some deletions can no longer be reported.",
        "The client last synced more than 90 days ago, a backup was restored, or the server has a new key.", "Fetch everything again, without a cursor.";
    LinkOver = "link_over", GONE, "This link has been used or has expired.",
        "Links in emails work once and for a limited time.", "Request a new one.";
    VersionConflict = "version_conflict", PRECONDITION_FAILED, "The entry was changed in the meantime.",
        "If-Match doesn’t name the current version, or the id of a PUT is in use.",
        "Merge your change into the current version and send it with its ETag.";
    TooLarge = "too_large", PAYLOAD_TOO_LARGE, "The body is too large.",
        "JSON bodies can have at most 1 MiB.", "Send less at a time.";
    UnsupportedMediaType = "unsupported_media_type", UNSUPPORTED_MEDIA_TYPE, "The body has the wrong type.",
        "Content-Type is missing or names a different type, or the body is compressed.", "Send the type named in the detail, without Content-Encoding.";
    WrongHost = "wrong_host", MISDIRECTED_REQUEST, "This server doesn’t serve that host name.",
        "The request was sent to a host name other than the configured one.", "Use the address in the detail.";
    IdempotencyKeyReused = "idempotency_key_reused", UNPROCESSABLE_ENTITY, "This Idempotency-Key was already used for a different request.",
        "A key was used for two different requests within 24 hours.", "Use a new key for each request.";
    Invalid = "invalid", UNPROCESSABLE_ENTITY, "Some fields are invalid.",
        "errors has a message for each of them.", "Fix the fields and send it again.";
    SudoRefused = "sudo_refused", UNPROCESSABLE_ENTITY, "The password or code is wrong.",
        "It was mistyped.", "Try again.";
    UnknownScope = "unknown_scope", UNPROCESSABLE_ENTITY, "One of the scopes doesn’t exist.",
        "It was mistyped.", "The detail names it. The reference lists all scopes.";
    PreconditionRequired = "precondition_required", PRECONDITION_REQUIRED, "A change must name the version it is based on.",
        "The request has no If-Match, or a PUT has no If-None-Match: *.", "Send If-Match with the ETag that you have read; with PUT, send If-None-Match: *.";
    TooManyRequests = "too_many_requests", TOO_MANY_REQUESTS, "You have sent too many requests.",
        "A limit is used up; violated-policies names it.", "Wait for the number of seconds in Retry-After.";
    Internal = "internal", INTERNAL_SERVER_ERROR, "Something went wrong on the server.",
        "The server’s log has the details under request_id.", "Give the request_id to the operator.";
    Busy = "busy", SERVICE_UNAVAILABLE, "coffer is busy right now.",
        "Too many requests of the same kind are running.", "Wait for the number of seconds in Retry-After.";
    OutcomeUnknown = "outcome_unknown", SERVICE_UNAVAILABLE, "The change may have been saved.",
        "The database stopped responding while it was being saved.", "Check before you send it again.";
    TimedOut = "timed_out", SERVICE_UNAVAILABLE, "The request took too long.",
        "The server or its database is slow right now.", "Wait for the number of seconds in Retry-After.";
    Unavailable = "unavailable", SERVICE_UNAVAILABLE, "The database is unavailable.",
        "It is down or restarting; nothing was changed.", "Wait for the number of seconds in Retry-After.";
}
