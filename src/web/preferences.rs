//! How this browser shows coffer. A choice of each browser, so one cookie holds it.

use std::fmt;
use std::time::Duration;

use axum::http::HeaderMap;

use super::cookies::{self, Cookie, Life, Name};
use crate::named::named;
use crate::public_url::PublicUrl;

/// As long as browsers keep a cookie (RFC 6265bis § 5.5).
const LIFE: Duration = Duration::from_hours(400 * 24);

named! {
    #[derive(Default)]
    pub enum Theme {
        /// As the system has it.
        #[default]
        System = "system",
        Light = "light",
        Dark = "dark",
    }
}

impl Theme {
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::System => "Same as system",
            Self::Light => "Light",
            Self::Dark => "Dark",
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Preferences {
    pub theme: Theme,
    /// Lists have two lines an entry.
    pub is_compact: bool,
    /// The title of a link opens its entry, not the site.
    pub title_opens_entry: bool,
    /// Single keys do nothing (WCAG 2.2, 2.1.4).
    pub no_shortcuts: bool,
}

const COMPACT: &str = "compact";
const ENTRY: &str = "entry";
const NO_SHORTCUTS: &str = "no-shortcuts";

impl Preferences {
    #[must_use]
    pub fn from_headers(site: &PublicUrl, headers: &HeaderMap) -> Self {
        cookies::find(site, headers, Name::Display, |value| Some(Self::parse(value))).unwrap_or_default()
    }

    fn parse(value: &str) -> Self {
        let mut parsed = Self::default();
        for word in value.split('.') {
            match word {
                COMPACT => parsed.is_compact = true,
                ENTRY => parsed.title_opens_entry = true,
                NO_SHORTCUTS => parsed.no_shortcuts = true,
                theme => parsed.theme = Theme::parse(theme).unwrap_or(parsed.theme),
            }
        }
        parsed
    }

    #[must_use]
    pub fn cookie(self) -> Cookie<'static> {
        if self == Self::default() {
            return cookies::removal(Name::Display);
        }
        cookies::new(Name::Display, &self.to_string(), Life::For(LIFE))
    }
}

impl fmt::Display for Preferences {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.theme.as_str())?;
        let words =
            [(self.is_compact, COMPACT), (self.title_opens_entry, ENTRY), (self.no_shortcuts, NO_SHORTCUTS)];
        words.iter().filter(|(chosen, _)| *chosen).try_for_each(|(_, word)| write!(f, ".{word}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back_and_the_rest_is_ignored() {
        for theme in Theme::ALL {
            for flags in 0..8 {
                let chosen = Preferences {
                    theme,
                    is_compact: flags & 1 > 0,
                    title_opens_entry: flags & 2 > 0,
                    no_shortcuts: flags & 4 > 0,
                };
                assert_eq!(Preferences::parse(&chosen.to_string()), chosen);
            }
        }
        assert_eq!(Preferences::parse("neon..x"), Preferences::default());
    }
}
