//! Batches requests to Redis: while one batch is on its way, the next one fills. A round trip is a write, a read and
//! two wake-ups, whether it carries one request or a hundred.

use tokio::sync::{mpsc, oneshot};

#[derive(Debug)]
pub struct Batcher<Q, A>(mpsc::UnboundedSender<Pending<Q, A>>);

/// The receiving end, for the one task that sends the batches. It ends when the [`Batcher`] is dropped.
#[derive(Debug)]
pub struct Requests<Q, A>(mpsc::UnboundedReceiver<Pending<Q, A>>);

#[derive(Debug)]
pub struct Pending<Q, A> {
    pub request: Q,
    caller: oneshot::Sender<A>,
}

pub fn batcher<Q, A>() -> (Batcher<Q, A>, Requests<Q, A>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    (Batcher(sender), Requests(receiver))
}

impl<Q, A> Batcher<Q, A> {
    /// Waits for the reply. `None`: the sending task has ended.
    pub async fn call(&self, request: Q) -> Option<A> {
        let (caller, reply) = oneshot::channel();
        self.0.send(Pending { request, caller }).ok()?;
        reply.await.ok()
    }
}

impl<Q, A> Requests<Q, A> {
    /// Returns up to `max` queued requests, and drops those whose caller has gone.
    pub async fn next_batch(&mut self, max: usize) -> Option<Vec<Pending<Q, A>>> {
        let mut batch = Vec::new();
        if self.0.recv_many(&mut batch, max).await == 0 {
            return None;
        }
        batch.retain(|pending| !pending.caller.is_closed());
        Some(batch)
    }
}

impl<Q, A> Pending<Q, A> {
    pub fn reply(self, answer: A) {
        let _ = self.caller.send(answer);
    }
}
