//! What many requests ask of Redis at the same time goes there together: while one flight is on its way, the next gathers.
//!
//! A round trip is a write, a read and two wake-ups, whether it carries one question or a hundred.

use tokio::sync::{mpsc, oneshot};

/// Where questions wait for the next flight; flights end when this is gone.
#[derive(Debug)]
pub struct Flights<Q, A>(mpsc::UnboundedSender<Asked<Q, A>>);

/// The other end, for the one task that flies.
#[derive(Debug)]
pub struct Questions<Q, A>(mpsc::UnboundedReceiver<Asked<Q, A>>);

/// A question, and who waits for the answer.
#[derive(Debug)]
pub struct Asked<Q, A> {
    pub question: Q,
    asker: oneshot::Sender<A>,
}

#[must_use]
pub fn flights<Q, A>() -> (Flights<Q, A>, Questions<Q, A>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    (Flights(sender), Questions(receiver))
}

impl<Q, A> Flights<Q, A> {
    /// What the next flight brings; `None` when it brought nothing.
    pub async fn ask(&self, question: Q) -> Option<A> {
        let (asker, answer) = oneshot::channel();
        self.0.send(Asked { question, asker }).ok()?;
        answer.await.ok()
    }
}

impl<Q, A> Questions<Q, A> {
    /// Waits for a question, and takes all that wait by then, up to so many. Nobody's who has gone.
    pub async fn gather(&mut self, most: usize) -> Option<Vec<Asked<Q, A>>> {
        let mut gathered = Vec::new();
        if self.0.recv_many(&mut gathered, most).await == 0 {
            return None;
        }
        gathered.retain(|asked| !asked.asker.is_closed());
        Some(gathered)
    }
}

impl<Q, A> Asked<Q, A> {
    pub fn tell(self, answer: A) {
        // Whoever has gone meanwhile does not want to know.
        let _ = self.asker.send(answer);
    }
}
