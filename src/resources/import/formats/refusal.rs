//! Why a file is refused as a whole, as a sentence for the form field.

/// What the terminal says in other words.
pub const CHOOSE_ENCODING: &str = "Choose the encoding, then choose the file again.";

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    #[error("This file is empty. Export your bookmarks again and choose the new file.")]
    Empty,
    #[error("This isn’t a text file. Choose a file that your browser or another program exported.")]
    Binary,
    #[error("This file contains no bookmarks that coffer can read. It seems to be {what}. {advice}")]
    Other { what: &'static str, advice: &'static str },
    #[error(
        "This file is damaged: a tag in it has hundreds of attributes. Export your bookmarks again and choose the new file."
    )]
    Damaged,
    #[error("This file doesn’t say which encoding it uses. It looks like {guess}. {advice}", advice = CHOOSE_ENCODING)]
    Charset { guess: &'static str },
    #[error("This ZIP archive can’t be imported: {0}.")]
    Archive(&'static str),
    #[error(
        "There is no column {place} for the {role}: columns count from 0, and the last of this table is {last}."
    )]
    NoColumn { role: &'static str, place: usize, last: usize },
    #[error("One column can’t be {one} and {other}. Choose another column for one of them.")]
    TwoRoles { one: &'static str, other: &'static str },
}
