//! The codes of all errors that the API answers with: what each means, where it comes from, and what helps.

use axum::http::StatusCode;

use crate::named::named;

/// What is said about a code.
pub struct About {
    /// The status of answers with this code.
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
    BadBody = "bad_body", BAD_REQUEST, "The body can't be read.",
        "The connection broke off, or the bytes are not what their headers say.", "Send the request again.";
    BadCursor = "bad_cursor", BAD_REQUEST, "This cursor belongs to no list like this one.",
        "It was changed, cut short, or given out for another order.", "Start again from the first page.";
    BadHost = "bad_host", BAD_REQUEST, "The request does not say for which host it is.",
        "It has no Host header, or several.", "Send exactly one Host header.";
    BadIdempotencyKey = "bad_idempotency_key", BAD_REQUEST, "Idempotency-Key can't be read.",
        "It is empty, longer than 255 characters, or not visible ASCII.", "Send a new UUID with each request.";
    BadIfMatch = "bad_if_match", BAD_REQUEST, "If-Match can't be read.",
        "It holds something that is neither * nor an ETag with its quotes.", "Send the ETag as you were given it.";
    BadParameter = "bad_parameter", BAD_REQUEST, "A parameter of the query string is unknown or has a wrong value.",
        "Its name or value is mistyped, or it came twice.", "The detail names it; the reference lists what may be sent.";
    BadQuery = "bad_query", BAD_REQUEST, "The search can't be read.",
        "It breaks a rule of the query language.", "The detail says which one, and position says where.";
    BadRequest = "bad_request", BAD_REQUEST, "The request can't be read.",
        "Its address or its headers are malformed.", "Check how your program builds the address.";
    BadUpload = "bad_upload", BAD_REQUEST, "The uploaded form can't be read.",
        "It broke off, or is not multipart/form-data.", "Send it again.";
    InvalidUtf8 = "invalid_utf8", BAD_REQUEST, "The query string or the form is not UTF-8.",
        "Another encoding was percent-encoded.", "Encode texts as UTF-8 first.";
    MalformedJson = "malformed_json", BAD_REQUEST, "The body is not JSON.",
        "A comma, a quote or the end is missing.", "Let a JSON library write the body.";
    BadCredentials = "bad_credentials", UNAUTHORIZED, "Name and password don't belong together.",
        "One of them is mistyped, or the account is disabled.", "Ask the person for both again.";
    BadToken = "bad_token", UNAUTHORIZED, "The bearer token is not known here.",
        "It was mistyped or revoked.", "Make a new one, or sign in again.";
    SecondFactorRequired = "second_factor_required", UNAUTHORIZED, "A second factor is needed.",
        "The account has one and no current code was sent; with 403, the site demands one that the account does not have yet.",
        "Send a current code as code; with 403, set up two-step login first.";
    SignInRequired = "sign_in_required", UNAUTHORIZED, "Nobody is signed in.",
        "The request came without a token and without a session.", "Send Authorization: Bearer and a token.";
    TokenExpired = "token_expired", UNAUTHORIZED, "The token's time is over.",
        "Access tokens live for 15 minutes, personal tokens until the day that was chosen.",
        "Renew an access token at /auth/refresh; make a new personal token.";
    TokenReused = "token_reused", UNAUTHORIZED, "The refresh token was used before.",
        "Two programs hold the same one, or it was stolen.", "Sign in again; everything that came from it is revoked.";
    WrongCode = "wrong_code", UNAUTHORIZED, "The code of the second factor is not right.",
        "It was mistyped, is over, or was used before: each works once.", "Send the next code.";
    CrossSite = "cross_site", FORBIDDEN, "The request did not come from one of coffer's own pages.",
        "A browser sent it with the session cookie from elsewhere, or without X-CSRF-Token.",
        "Send the csrf of /me as X-CSRF-Token, or use a token instead of the cookie.";
    Forbidden = "forbidden", FORBIDDEN, "This may not be done as it stands.",
        "The detail says what is in the way.", "Do what the detail says first.";
    InsufficientScope = "insufficient_scope", FORBIDDEN, "The token may not do that.",
        "It was made without the scope that this operation needs.", "Make a token with the scope that the detail names.";
    SudoRequired = "sudo_required", FORBIDDEN, "The password is needed once more.",
        "A session does something far-reaching and its last proof is older than ten minutes.",
        "Let the person confirm at /sudo, or use a token.";
    NotFound = "not_found", NOT_FOUND, "There is nothing here that you may see.",
        "It was deleted, is somebody else's, or the id is wrong.", "Read the list again.";
    UnknownRoute = "unknown_route", NOT_FOUND, "There is no such address in the API.",
        "It is mistyped, or belongs to another version.", "The detail names the nearest address that there is.";
    MethodNotAllowed = "method_not_allowed", METHOD_NOT_ALLOWED, "This address does not take that method.",
        "The method is wrong for this path.", "The Allow header lists those that it takes.";
    BodyTimedOut = "body_timed_out", REQUEST_TIMEOUT, "The body did not arrive in time.",
        "The connection is slow, or the sender stopped.", "Send it again; nothing was changed.";
    DuplicateUrl = "duplicate_url", CONFLICT, "You have already saved this address.",
        "Another entry of yours has the same URL in its normal form.", "Change the entry that existing_id names.";
    IdempotencyKeyInUse = "idempotency_key_in_use", CONFLICT, "The first request with this Idempotency-Key is still at work.",
        "Your program sent it again before the answer came.", "Send it again in a few seconds.";
    LastAdmin = "last_admin", CONFLICT, "Nobody would be left to administer.",
        "This is the last administrator who can log in.", "Make another account an administrator first.";
    Trashed = "trashed", CONFLICT, "The entry is in the trash.",
        "It was moved there, perhaps by another client.", "Restore it first, then change it.";
    CursorExpired = "cursor_expired", GONE, "Something is gone that is not told any more.",
        "The client last asked more than 90 days ago, or a backup came back.", "Read everything again, without a cursor.";
    LinkOver = "link_over", GONE, "This link is used up or has expired.",
        "Links in mails work once and for a limited time.", "Ask for a fresh one.";
    VersionConflict = "version_conflict", PRECONDITION_FAILED, "The entry was changed meanwhile.",
        "If-Match names another version than the one that stands.",
        "Merge your change into the current version and send it with its ETag.";
    TooLarge = "too_large", PAYLOAD_TOO_LARGE, "The body is larger than may be sent here.",
        "JSON bodies have at most 1 MiB.", "Send less at once.";
    UnsupportedMediaType = "unsupported_media_type", UNSUPPORTED_MEDIA_TYPE, "The body has the wrong type.",
        "Content-Type is missing or names another type.", "Send the type that the detail names.";
    WrongHost = "wrong_host", MISDIRECTED_REQUEST, "This server does not answer for that host name.",
        "The request was sent to another name than the configured one.", "Use the address in the detail.";
    IdempotencyKeyReused = "idempotency_key_reused", UNPROCESSABLE_ENTITY, "This Idempotency-Key came with another request before.",
        "A key was used for two different requests within 24 hours.", "Make a new key for each request.";
    Invalid = "invalid", UNPROCESSABLE_ENTITY, "Some fields break a rule.",
        "errors holds a sentence for each of them.", "Mend the fields and send it again.";
    SudoRefused = "sudo_refused", UNPROCESSABLE_ENTITY, "The password or code is not right.",
        "It was mistyped.", "Try again.";
    UnknownScope = "unknown_scope", UNPROCESSABLE_ENTITY, "One of the scopes does not exist.",
        "It was mistyped.", "The reference lists all scopes.";
    PreconditionRequired = "precondition_required", PRECONDITION_REQUIRED, "A change must name the version that it changes.",
        "The request has no If-Match.", "Send If-Match with the ETag that you have read.";
    TooManyRequests = "too_many_requests", TOO_MANY_REQUESTS, "That was more than this server answers at once.",
        "A limit is used up; violated-policies names it.", "Wait for the seconds of Retry-After.";
    Internal = "internal", INTERNAL_SERVER_ERROR, "Something went wrong on the server.",
        "The log knows, by request_id.", "Tell the operator the request_id.";
    Busy = "busy", SERVICE_UNAVAILABLE, "coffer is busy just now.",
        "Too much of the same kind runs at once.", "Wait for the seconds of Retry-After.";
    OutcomeUnknown = "outcome_unknown", SERVICE_UNAVAILABLE, "The change may have been saved.",
        "The database stopped answering while it was being saved.", "Look before you send it again.";
    TimedOut = "timed_out", SERVICE_UNAVAILABLE, "The answer took longer than it may.",
        "The server or its database is slow just now.", "Wait for the seconds of Retry-After.";
    Unavailable = "unavailable", SERVICE_UNAVAILABLE, "The database can't be reached.",
        "It is down or restarting; nothing was changed.", "Wait for the seconds of Retry-After.";
}
