//! Who is looking: found out once a request, then handed to whatever asks.

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

    /// The signed-in person.
    ///
    /// # Errors
    /// [`Error::SignInRequired`] for a visitor.
    pub fn signed_in(&self) -> Result<&Member> {
        self.member().ok_or(Error::SignInRequired)
    }

    /// # Errors
    /// [`Error::SignInRequired`] for a visitor, [`Error::NotFound`] for a member: to them the address does not exist.
    pub fn require_admin(&self) -> Result<()> {
        self.signed_in()?;
        if self.is_admin() { Ok(()) } else { Err(Error::NotFound) }
    }

    pub fn is_admin(&self) -> bool {
        self.member().is_some_and(|member| member.role == Role::Admin)
    }
}

/// The viewer, and what belongs to the session that they are signed in with.
#[derive(Clone, Debug, Default)]
pub struct Identity {
    pub viewer: Viewer,
    /// Proves that a form came from this session.
    pub csrf: String,
    /// What the device list calls the session.
    pub session: Option<Uuid>,
    /// What keeps the device signed in, if something does.
    pub family: Option<Uuid>,
}

impl Identity {
    /// What the device list calls the device: the family when there is one.
    #[must_use]
    pub fn device(&self) -> Option<Uuid> {
        self.family.or(self.session)
    }
}

/// Filled when the request's sender is known, read by the outer layer that draws error pages.
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

/// Makes the sender known to the handlers and to the layer that draws error pages.
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
