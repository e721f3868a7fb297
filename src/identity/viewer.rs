//! Who sends a request: found out once, then passed to all that need it.

use std::convert::Infallible;
use std::sync::{Arc, PoisonError, RwLock};

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use uuid::Uuid;

use super::{Member, Role};
use crate::error::{Error, Result};

#[derive(Clone, Debug, Default)]
pub enum Viewer {
    #[default]
    Visitor,
    Member(Arc<Member>),
}

impl Viewer {
    #[must_use]
    pub fn member(&self) -> Option<&Member> {
        match self {
            Self::Visitor => None,
            Self::Member(member) => Some(member),
        }
    }

    #[must_use]
    pub fn id(&self) -> Option<Uuid> {
        self.member().map(|member| member.id)
    }

    /// [`Error::SignInRequired`] for a visitor.
    pub fn signed_in(&self) -> Result<&Member> {
        self.member().ok_or(Error::SignInRequired)
    }

    /// [`Error::SignInRequired`] for a visitor, [`Error::NotFound`] for a member: to them the address does not exist.
    pub fn require_admin(&self) -> Result<()> {
        self.signed_in()?;
        if self.is_admin() { Ok(()) } else { Err(Error::NotFound) }
    }

    pub fn is_admin(&self) -> bool {
        self.member().is_some_and(|member| member.role == Role::Admin)
    }
}

#[derive(Clone, Debug, Default)]
pub struct Identity {
    pub viewer: Viewer,
    /// Proves that a form was made for this session.
    pub csrf: String,
    /// The session's id in the device list.
    pub session: Option<Uuid>,
    /// The refresh family of a device that is kept signed in.
    pub family: Option<Uuid>,
}

impl Identity {
    /// The device's id in the device list: the family's, if there is one.
    #[must_use]
    pub fn device(&self) -> Option<Uuid> {
        self.family.or(self.session)
    }
}

/// Set once the sender is known, and read by the layer that renders error pages.
#[derive(Clone, Default)]
pub struct IdentitySlot(Arc<RwLock<Identity>>);

impl IdentitySlot {
    #[must_use]
    pub fn get(&self) -> Identity {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn set(&self, identity: Identity) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = identity;
    }
}

/// For the handlers, and for the layer that renders error pages.
pub fn set_identity(extensions: &mut axum::http::Extensions, identity: Identity) {
    if let Some(slot) = extensions.get::<IdentitySlot>() {
        slot.set(identity.clone());
    }
    extensions.insert(identity);
}

impl<S: Sync> FromRequestParts<S> for Identity {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get().cloned().unwrap_or_default())
    }
}

impl<S: Sync> FromRequestParts<S> for Viewer {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        Ok(Identity::from_request_parts(parts, state).await?.viewer)
    }
}
