//! Enums whose variants have names: rows, settings, JSON and metrics hold these.

/// Declares such an enum: `named! { pub enum Kind { Link = "link", Note = "note" } }`.
macro_rules! named {
    (
        $(#[$meta:meta])*
        $vis:vis enum $enum:ident { $($(#[$about:meta])* $variant:ident = $name:literal),+ $(,)? }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        $vis enum $enum { $($(#[$about])* $variant),+ }

        impl $enum {
            pub const ALL: [Self; [$($name),+].len()] = [$(Self::$variant),+];

            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            pub fn parse(name: &str) -> Option<Self> {
                Self::ALL.into_iter().find(|known| known.as_str() == name)
            }
        }

        impl TryFrom<String> for $enum {
            type Error = String;

            fn try_from(name: String) -> Result<Self, String> {
                Self::parse(&name).ok_or(name)
            }
        }
    };
}
pub(crate) use named;
