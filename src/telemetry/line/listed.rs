//! A copy of an event that holds the fields on the list and no others, for a layer that writes all it is given.

use std::error::Error;
use std::fmt::Debug;

use tracing::field::{Field, Value, Visit};
use tracing::{Event, Metadata};

use super::{FIELDS, chain};

pub(super) struct Listed {
    metadata: &'static Metadata<'static>,
    /// One for each field of the event; none for those that are left out.
    values: Vec<Option<Box<dyn Value>>>,
}

impl Listed {
    pub(super) fn from_event(event: &Event<'_>) -> Self {
        let metadata = event.metadata();
        let values = metadata.fields().iter().map(|_| None).collect();
        let mut listed = Self { metadata, values };
        event.record(&mut listed);
        listed
    }

    pub(super) fn with(&self, take: impl FnOnce(&Event<'_>)) {
        let values: Vec<_> = self.values.iter().map(Option::as_deref).collect();
        take(&Event::new(self.metadata, &self.metadata.fields().value_set_all(&values)));
    }

    fn keep(&mut self, field: &Field, value: impl Value + 'static) {
        if FIELDS.contains(&field.name()) {
            self.values[field.index()] = Some(Box::new(value));
        }
    }
}

impl Visit for Listed {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.keep(field, value.to_owned());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.keep(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.keep(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.keep(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.keep(field, value);
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.keep(field, chain(value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.keep(field, format!("{value:?}"));
    }
}
