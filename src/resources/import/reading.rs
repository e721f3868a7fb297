//! A file that is read on a thread of its own, as fast as its entries are taken.

use std::ops::ControlFlow;

use axum::body::Bytes;
use tokio::sync::{mpsc, oneshot};

use super::formats::{Column, FileError, Source};
use super::prepare::{Preparation, Slice};
use super::twins::Twins;
use crate::error::{Error, Result};

/// Links in one file.
pub const MOST: usize = 200_000;

pub(super) struct Overview {
    pub format: &'static str,
    pub total: usize,
    pub charset: &'static str,
    pub unreadable: usize,
    pub columns: Vec<Column>,
}

pub(super) struct Reading {
    pub overview: Overview,
    slices: mpsc::Receiver<Slice>,
}

pub(super) struct Task {
    pub bytes: Bytes,
    pub preparation: Preparation,
    /// Entries that are in the library already.
    pub skip: usize,
}

impl Reading {
    /// # Errors
    /// [`Error::Invalid`] at `file` when it is none that coffer reads or holds more than [`MOST`] links, at `charset` and
    /// `columns` when it has to be told how to read it.
    pub async fn start(task: Task) -> Result<Self> {
        let (overview, seen) = oneshot::channel();
        let (sender, slices) = mpsc::channel(1);
        tokio::task::spawn_blocking(move || read(&task, overview, &sender));
        let overview = seen.await.map_err(|_| Error::Internal("reading a file to import".to_owned()))??;
        Ok(Self { overview, slices })
    }

    pub async fn next(&mut self) -> Option<Slice> {
        self.slices.recv().await
    }
}

fn read(task: &Task, overview: oneshot::Sender<Result<Overview>>, slices: &mpsc::Sender<Slice>) {
    let opened = Source::open(&task.bytes, &task.preparation.choices);
    let opened =
        opened.map_err(|error| Error::field(field_of(error), error.to_string())).and_then(|source| {
            let twins = Twins::find(&source, &task.preparation.choices);
            if twins.total > MOST { Err(too_many(twins.total)) } else { Ok((source, twins)) }
        });
    let (source, twins) = match opened {
        Ok(opened) => opened,
        Err(error) => return drop(overview.send(Err(error))),
    };
    let seen = Overview {
        format: source.format(),
        total: twins.total,
        charset: source.charset(),
        unreadable: source.unreadable(),
        columns: source.columns().to_vec(),
    };
    if overview.send(Ok(seen)).is_err() {
        return;
    }
    task.preparation.slices(&source, twins, task.skip, |slice| match slices.blocking_send(slice) {
        Ok(()) => ControlFlow::Continue(()),
        Err(_) => ControlFlow::Break(()),
    });
}

fn too_many(links: usize) -> Error {
    let message = format!(
        "This file has {links} links; at most {MOST} can be imported at once. Split it into smaller files."
    );
    Error::field("file", message)
}

const fn field_of(error: FileError) -> &'static str {
    match error {
        FileError::Charset { .. } => "charset",
        FileError::NoColumn { .. } | FileError::TwoRoles { .. } => "columns",
        _ => "file",
    }
}
