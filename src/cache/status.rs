//! What the cache did for a request, as the `Cache-Status` header (RFC 9211) reports it.

use std::cell::Cell;

use axum::http::HeaderValue;
use futures_util::future::FutureExt as _;

/// Ordered from best to worst: a request reports the worst of its lookups.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    LocalHit,
    RemoteHit,
    Miss,
    Stale,
}

tokio::task_local! {
    static STATUS: Cell<Option<Status>>;
}

impl Status {
    pub const fn header(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::LocalHit => "coffer; hit; detail=l1",
            Self::RemoteHit => "coffer; hit; detail=l2",
            Self::Miss => "coffer; fwd=miss",
            Self::Stale => "coffer; hit; detail=stale",
        })
    }
}

pub fn watch<T>(request: impl Future<Output = T>) -> impl Future<Output = (T, Option<Status>)> {
    STATUS.scope(Cell::new(None), request.map(|answer| (answer, STATUS.with(Cell::get))))
}

/// Does nothing outside a request.
pub(super) fn record(status: Status) {
    let _ = STATUS.try_with(|recorded| recorded.set(recorded.get().max(Some(status))));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_least_favourable_look_up_counts() {
        let ((), status) = watch(async {
            record(Status::LocalHit);
            record(Status::Miss);
            record(Status::RemoteHit);
        })
        .await;
        assert_eq!(status, Some(Status::Miss));
        assert_eq!(watch(async {}).await.1, None);
        record(Status::Stale);
    }
}
