//! Resolves a name once for each request; the connection goes to the addresses that passed the guard.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use async_trait::async_trait;
use http_client::dns::{Addrs, Name, Resolve, Resolving};

use super::guard::Guard;
use super::request::FetchError;

#[async_trait]
pub trait Lookup: Send + Sync {
    async fn addresses(&self, host: &str) -> io::Result<Vec<IpAddr>>;
}

pub struct SystemLookup;

#[async_trait]
impl Lookup for SystemLookup {
    async fn addresses(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        Ok(tokio::net::lookup_host((host, 0)).await?.map(|found| found.ip()).collect())
    }
}

pub struct GuardedResolver {
    pub guard: Arc<Guard>,
    pub lookup: Arc<dyn Lookup>,
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (guard, lookup) = (self.guard.clone(), self.lookup.clone());
        Box::pin(async move {
            let found = lookup.addresses(name.as_str()).await.map_err(|_| FetchError::Unresolved)?;
            if found.is_empty() {
                return Err(FetchError::Unresolved.into());
            }
            let allowed: Vec<_> = found.into_iter().filter(|address| guard.allows(*address)).collect();
            if allowed.is_empty() {
                return Err(FetchError::Refused.into());
            }
            // The client puts the address's port in the place of 0.
            Ok(Box::new(allowed.into_iter().map(|address| SocketAddr::new(address, 0))) as Addrs)
        })
    }
}
