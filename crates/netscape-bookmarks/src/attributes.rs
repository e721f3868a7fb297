//! A bound on the attributes of one tag: the tokenizer compares each with all before it, and a tag of
//! some megabytes would keep it busy for hours.

const MAX_ATTRIBUTES: usize = 200;

/// Follows the tokenizer's states for tags (WHATWG HTML §13.2.5.6–39) as far as counting needs.
#[derive(Default)]
pub struct Count {
    state: State,
    names: usize,
}

#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    Text,
    TagOpen,
    /// In a comment or declaration; the tokenizer tells when it ends.
    Other,
    BeforeName,
    Name,
    AfterName,
    BeforeValue,
    Quoted(char),
    Unquoted,
}

impl Count {
    /// Takes the next characters; `false` where a tag has too many attributes.
    pub fn take(&mut self, text: &str) -> bool {
        for c in text.chars() {
            let next = self.state.after(c);
            if next == State::Name && self.state != State::Name {
                self.names += 1;
            }
            self.state = next;
        }
        self.names <= MAX_ATTRIBUTES
    }

    /// Whether the next character stands outside of tags.
    pub fn in_text(&self) -> bool {
        self.state == State::Text
    }

    /// To be called when the tokenizer has completed a tag or comment.
    pub fn restart(&mut self) {
        *self = Self::default();
    }
}

impl State {
    fn after(self, c: char) -> Self {
        match self {
            Self::Text | Self::TagOpen => self.after_in_text(c),
            Self::Other => Self::Other,
            Self::Quoted(quote) if c == quote => Self::BeforeName,
            Self::Quoted(_) => self,
            _ if c == '>' => Self::Text,
            Self::BeforeName | Self::Name | Self::AfterName => self.after_in_name(c),
            Self::BeforeValue if is_space(c) => self,
            Self::BeforeValue if matches!(c, '"' | '\'') => Self::Quoted(c),
            Self::Unquoted if is_space(c) => Self::BeforeName,
            Self::BeforeValue | Self::Unquoted => Self::Unquoted,
        }
    }

    fn after_in_text(self, c: char) -> Self {
        match c {
            '<' => Self::TagOpen,
            '/' if self == Self::TagOpen => self,
            '!' | '?' if self == Self::TagOpen => Self::Other,
            _ if self == Self::TagOpen && c.is_ascii_alphabetic() => Self::Name,
            _ => Self::Text,
        }
    }

    fn after_in_name(self, c: char) -> Self {
        match c {
            '=' if self != Self::BeforeName => Self::BeforeValue,
            '/' => Self::BeforeName,
            _ if is_space(c) && self == Self::Name => Self::AfterName,
            _ if is_space(c) => self,
            _ => Self::Name,
        }
    }
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\r' | '\u{C}')
}
