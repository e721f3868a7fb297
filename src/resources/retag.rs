//! The tags of one owner: completed while they are typed, renamed, merged and deleted for all entries at once.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::bulk::{BulkChange, Respelling, Retag};
use super::tag::{self, TagName};
use super::{Resources, store};
use crate::error::{Error, Result};
use crate::identity::Viewer;

const OFFERED: i64 = 10;
/// Tags that one page of near-duplicates lists.
const TWINS: usize = 100;

#[derive(Clone, Debug)]
pub struct TagPlan {
    pub change: BulkChange,
    pub ids: Vec<Uuid>,
    pub steps: Vec<TagStep>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagStep {
    pub from: String,
    /// `None` when it is deleted.
    pub to: Option<String>,
    pub entries: i64,
    /// Whether there is a tag of the new name already.
    pub merges: bool,
}

#[derive(Clone, Debug, Default)]
pub struct TagWish {
    pub from: Vec<String>,
    /// The new name; `None` to delete them.
    pub to: Option<String>,
    /// Whether the tags below them go along.
    pub below: bool,
}

impl Resources {
    /// The viewer's own tags that begin like this, or have a level that does.
    pub async fn complete_tag(&self, viewer: &Viewer, typed: &str) -> Result<Vec<String>> {
        let owner = viewer.signed_in()?.id;
        Ok(store::tags::complete(&self.db, owner, &tag::fold(typed), OFFERED).await?)
    }

    /// The viewer's own tags, in the order of their folded names.
    pub async fn own_tags(&self, viewer: &Viewer) -> Result<Vec<TagName>> {
        Ok(store::tags::own(&self.db, viewer.signed_in()?.id).await?)
    }

    /// What the wish would change; nothing is changed yet.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a tag that is not the viewer's, [`Error::Invalid`] at `to`.
    pub async fn plan_tags(&self, viewer: &Viewer, wish: &TagWish) -> Result<TagPlan> {
        let owner = viewer.signed_in()?.id;
        let own = self.own_tags(viewer).await?;
        let to = wish.to.as_deref().map(new_name).transpose()?;
        let moves = moves(&own, wish, to.as_ref())?;
        let names: BTreeMap<&str, &str> =
            own.iter().map(|tag| (tag.folded.as_str(), tag.name.as_str())).collect();
        let counts = store::tags::count_entries(&self.db, owner, &moves).await?;
        let steps = moves.iter().zip(counts).map(|(one, entries)| TagStep {
            from: one.from.name.clone(),
            // An existing tag keeps its spelling.
            to: one.to.as_ref().map(|to| match names.get(to.folded.as_str()) {
                Some(name) if to.folded != one.from.folded => (*name).to_owned(),
                _ => to.name.clone(),
            }),
            merges: one
                .to
                .as_ref()
                .is_some_and(|to| to.folded != one.from.folded && names.contains_key(to.folded.as_str())),
            entries,
        });
        let steps: Vec<TagStep> = steps.collect();
        let change = change_of(&moves, &steps);
        let ids = match &change {
            BulkChange::Retag(retags) => {
                let folded: Vec<String> = retags.iter().map(|retag| retag.from.clone()).collect();
                self.ids_with_tags(viewer, &folded).await?
            }
            _ => Vec::new(),
        };
        Ok(TagPlan { change, ids, steps })
    }
}

pub struct TagMove {
    pub from: TagName,
    pub to: Option<TagName>,
}

fn new_name(text: &str) -> Result<TagName> {
    let named = tag::parse_list(text, &[]).map_err(|error| Error::field("to", error.to_string()))?;
    match <[TagName; 1]>::try_from(named) {
        Ok([name]) => Ok(name),
        Err(_) => Err(Error::field("to", "Enter one tag, for example “recipes” or “work/rust”.")),
    }
}

fn moves(own: &[TagName], wish: &TagWish, to: Option<&TagName>) -> Result<Vec<TagMove>> {
    let mut moves = Vec::new();
    for from in &wish.from {
        let folded = tag::fold(from);
        let below = tag::range_of(&folded);
        let levels = folded.split('/').count();
        let found =
            own.iter().filter(|tag| tag.folded == folded || (wish.below && below.contains(&tag.folded)));
        let before = moves.len();
        for tag in found {
            let rest = tag.name.split('/').skip(levels);
            let to = to.map(|to| {
                let name = std::iter::once(to.name.as_str()).chain(rest).collect::<Vec<_>>().join("/");
                tag::parse_one(&name).map_err(|error| Error::field("to", error.to_string()))
            });
            moves.push(TagMove { from: tag.clone(), to: to.transpose()? });
        }
        if moves.len() == before {
            return Err(Error::NotFound);
        }
    }
    moves.retain(|one| one.to.as_ref().is_none_or(|to| to.name != one.from.name));
    if moves.is_empty() {
        return Err(Error::field("to", "The tag already has this name."));
    }
    Ok(moves)
}

/// A new spelling is written to the tag; a new name to its entries.
fn change_of(moves: &[TagMove], steps: &[TagStep]) -> BulkChange {
    let is_spelling = |one: &TagMove| one.to.as_ref().is_some_and(|to| to.folded == one.from.folded);
    if moves.iter().all(is_spelling) {
        let respelled = moves.iter().filter_map(|one| {
            Some(Respelling { from: one.from.name.clone(), to: one.to.as_ref()?.name.clone() })
        });
        return BulkChange::Respell(respelled.collect());
    }
    let retags = moves.iter().zip(steps).filter(|(one, _)| !is_spelling(one));
    BulkChange::Retag(
        retags.map(|(one, step)| Retag { from: one.from.folded.clone(), to: step.to.clone() }).collect(),
    )
}

/// Groups of tags that differ only in case, plural, dashes or spaces.
#[must_use]
pub fn near_twins(own: &[TagName]) -> Vec<Vec<&TagName>> {
    let mut groups: BTreeMap<String, Vec<&TagName>> = BTreeMap::new();
    for tag in own {
        groups.entry(skeleton(&tag.folded)).or_default().push(tag);
    }
    groups.into_values().filter(|group| group.len() > 1).take(TWINS).collect()
}

fn skeleton(folded: &str) -> String {
    let level = |level: &str| {
        let letters: String = level.chars().filter(|c| !matches!(c, ' ' | '-' | '_' | '.')).collect();
        match letters.as_str() {
            plural if plural.ends_with("ies") && plural.len() > 5 => {
                format!("{}y", &plural[..plural.len() - 3])
            }
            plural if plural.ends_with('s') && !plural.ends_with("ss") && plural.len() > 3 => {
                plural[..plural.len() - 1].to_owned()
            }
            // A tag of signs alone is like no other.
            "" => level.to_owned(),
            word => word.to_owned(),
        }
    };
    folded.split('/').map(level).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(names: &[&str]) -> Vec<TagName> {
        names.iter().map(|name| tag::parse_one(name).expect("a tag")).collect()
    }

    #[test]
    fn case_plural_dashes_and_spaces_make_twins() {
        let own = own(&[
            "Vue.js", "vue js", "vuejs", "recipe", "recipes", "Library", "libraries", "css", "cs", "c++",
            "c#", "to-do", "todo",
        ]);
        let twins: Vec<Vec<&str>> = near_twins(&own)
            .into_iter()
            .map(|group| group.into_iter().map(|tag| tag.name.as_str()).collect())
            .collect();
        assert_eq!(
            twins,
            [
                vec!["Library", "libraries"],
                vec!["recipe", "recipes"],
                vec!["to-do", "todo"],
                vec!["Vue.js", "vue js", "vuejs"]
            ]
        );
    }

    #[test]
    fn a_renamed_tag_takes_those_below_it_along() {
        let own = own(&["work", "Work/Rust", "workshop"]);
        let wish = |below| TagWish { from: vec!["work".into()], to: Some("job".into()), below };
        let to = new_name("job").expect("a name");
        let names = |below| {
            let moves = moves(&own, &wish(below), Some(&to)).expect("moves");
            moves.into_iter().filter_map(|one| one.to).map(|to| to.name).collect::<Vec<_>>()
        };
        assert_eq!(names(false), ["job"]);
        assert_eq!(names(true), ["job", "job/Rust"]);
    }
}
