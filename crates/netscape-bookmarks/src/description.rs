//! The text behind a `DD`: plain, with its lines and their indentation, whatever markup programs put into it.

/// What linkding writes around a bookmark's notes, which are Markdown.
const NOTES: [&str; 2] = ["[linkding-notes]", "[/linkding-notes]"];

#[derive(Default)]
pub(crate) struct Description {
    text: String,
    /// The address of the link that is open, and where its text begins.
    link: Option<Link>,
    /// After a tag that breaks the line: white space before the next word is the file's own.
    at_break: bool,
    /// How far the `DD` stands from the beginning of its line.
    indent: usize,
}

struct Link {
    href: String,
    from: usize,
}

pub(crate) struct Texts {
    pub plain: String,
    pub markdown: String,
}

impl Description {
    pub fn indented(indent: usize) -> Self {
        Self { indent, ..Self::default() }
    }

    pub fn take(&mut self, text: &str) {
        let text = if self.at_break { text.trim_start_matches([' ', '\t']) } else { text };
        self.at_break &= text.is_empty();
        self.text.push_str(text);
    }

    pub fn start(&mut self, name: &str, href: &str) {
        match name {
            "a" => {
                self.end_link();
                self.link = Some(Link { href: href.trim().to_owned(), from: self.text.len() });
            }
            "li" => {
                self.break_line();
                self.text.push_str("- ");
            }
            _ => self.end(name),
        }
    }

    pub fn end(&mut self, name: &str) {
        match name {
            "a" => self.end_link(),
            "br" | "hr" | "p" | "div" | "blockquote" | "pre" | "ul" | "ol" | "table" | "tr" | "h1" | "h2"
            | "h3" | "h4" | "h5" | "h6" => self.break_line(),
            _ => {}
        }
    }

    /// In coffer's own exports a description is the Markdown of the entry, to the letter.
    pub fn finish(mut self, is_own: bool) -> Texts {
        self.end_link();
        if is_own {
            let text = self.text.strip_suffix('\n').unwrap_or(&self.text);
            return Texts { plain: String::new(), markdown: text.to_owned() };
        }
        let Some((before, rest)) = self.text.split_once(NOTES[0]) else {
            return Texts { plain: tidy(&self.text, self.indent), markdown: String::new() };
        };
        let (notes, after) = rest.split_once(NOTES[1]).unwrap_or((rest, ""));
        let plain = tidy(&format!("{before}\n{after}"), self.indent);
        Texts { plain, markdown: notes.trim_matches('\n').trim_end().to_owned() }
    }

    fn break_line(&mut self) {
        self.text.push('\n');
        self.at_break = true;
    }

    /// A link is its text with its address behind it.
    fn end_link(&mut self) {
        let Some(link) = self.link.take() else { return };
        let text = self.text[link.from..].trim();
        if link.href.is_empty() || text == link.href {
            return;
        }
        let address = if text.is_empty() { link.href } else { format!(" ({})", link.href) };
        self.text.truncate(self.text.trim_end().len().max(link.from));
        self.text.push_str(&address);
    }
}

/// Without trailing white space, repeated empty lines, and the indentation that a file gives all lines of a
/// description because its tags are indented.
fn tidy(text: &str, indent: usize) -> String {
    let text = text.trim_end();
    let mut lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    let indented = lines.iter().skip(1).map(|line| white(line)).filter(|width| *width > 0);
    let common = indented.min().filter(|common| indent > 0 && *common >= indent).unwrap_or(0);
    for line in lines.iter_mut().skip(1) {
        *line = &line[common.min(white(line))..];
    }
    if let Some(first) = lines.first_mut().filter(|first| white(first) == 1) {
        *first = first.trim_start();
    }
    let kept = lines
        .iter()
        .enumerate()
        .filter(|(i, line)| !line.is_empty() || lines.get(i + 1).is_some_and(|next| !next.is_empty()));
    kept.map(|(_, line)| *line).collect::<Vec<_>>().join("\n").trim_start_matches('\n').to_owned()
}

/// Spaces and tabs at the beginning of a line.
fn white(line: &str) -> usize {
    line.len() - line.trim_start_matches([' ', '\t']).len()
}
