//! Why a file is refused as a whole, as a sentence for the form field.

use netscape_bookmarks::Error;

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    #[error("This file is empty. Export your bookmarks again and choose the new file.")]
    Empty,
    #[error("This isn’t a text file. Choose a file that your browser or another program exported.")]
    Binary,
    #[error("This file contains no bookmarks. Choose a file that your browser or another program exported.")]
    NotBookmarks,
    #[error("This file contains no bookmarks that coffer can read. It seems to be {what}. {advice}")]
    Other { what: &'static str, advice: &'static str },
    #[error(
        "This file is damaged: a tag in it has hundreds of attributes. Export your bookmarks again and choose the new file."
    )]
    Damaged,
    #[error(
        "This file doesn’t say which encoding it uses. It looks like {guess}. Choose the encoding, then choose the file again."
    )]
    Charset { guess: &'static str },
    #[error("This ZIP archive can’t be imported: {0}.")]
    Archive(&'static str),
}

impl From<Error> for FileError {
    fn from(error: Error) -> Self {
        match error {
            Error::Empty => Self::Empty,
            Error::NotBookmarks => Self::NotBookmarks,
            Error::TooManyAttributes => Self::Damaged,
            Error::Charset { guess } => Self::Charset { guess },
        }
    }
}
