//! The icon of a site: a small picture, kept by its content.

use data_encoding::HEXLOWER;
use hmac::Mac as _;
use imagesize::ImageType;
use uuid::Uuid;

use crate::keys::mac;

/// Bytes of the largest icon.
pub const LARGEST: usize = 64 << 10;
/// Pixels of its longer side. A small file may hold a picture that takes gigabytes once it is drawn.
const MOST_PIXELS: usize = 1_024;

#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Icon {
    pub id: Uuid,
    pub media_type: String,
    pub content: Vec<u8>,
}

impl Icon {
    /// `None` where the bytes are no small picture, whatever the server calls them. SVG is none: it can hold scripts.
    pub fn new(content: Vec<u8>, key: &[u8; 32]) -> Option<Self> {
        let media_type = match imagesize::image_type(&content).ok()? {
            ImageType::Png => "image/png",
            ImageType::Jpeg => "image/jpeg",
            ImageType::Gif => "image/gif",
            ImageType::Webp => "image/webp",
            ImageType::Ico => "image/x-icon",
            _ => return None,
        };
        let size = imagesize::blob_size(&content).ok()?;
        let is_small = content.len() <= LARGEST && size.width.max(size.height) <= MOST_PIXELS;
        is_small.then(|| Self { id: id_of(&content, key), media_type: media_type.to_owned(), content })
    }
}

/// A keyed hash. A plain one would tell anyone with the same picture whether a link to its site is kept here.
fn id_of(content: &[u8], key: &[u8; 32]) -> Uuid {
    let mut mac = mac(key);
    mac.update(content);
    let hash = mac.finalize().into_bytes();
    Uuid::from_bytes(std::array::from_fn(|place| hash[place]))
}

/// The address at which coffer serves it.
pub fn href(id: Uuid) -> String {
    format!("/icons/{}", HEXLOWER.encode(id.as_bytes()))
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// The header of a PNG with these sides.
    pub fn png(width: u32, height: u32) -> Vec<u8> {
        let [w, h] = [width, height].map(u32::to_be_bytes);
        [b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".as_slice(), &w, &h, &[8, 6, 0, 0, 0, 0, 0, 0, 0]].concat()
    }

    #[test]
    fn only_small_pictures_are_icons() {
        let icon = |content: &[u8]| Icon::new(content.to_vec(), &[1; 32]);
        assert_eq!(icon(&png(32, 32)).expect("an icon").media_type, "image/png");
        assert_eq!(icon(b"GIF89a\x10\0\x10\0\0\0\0").expect("an icon").media_type, "image/gif");
        assert_eq!(icon(&png(50_000, 50_000)), None);
        assert_eq!(icon(&[png(32, 32), vec![0; LARGEST]].concat()), None);
        for other in ["", "<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "<html>", "%PDF-1.7"]
        {
            assert_eq!(icon(other.as_bytes()), None, "{other}");
        }
    }

    #[test]
    fn an_id_follows_from_the_content_and_the_key() {
        let id = |width, key| Icon::new(png(width, 16), &[key; 32]).expect("an icon").id;
        assert_eq!(id(16, 1), id(16, 1));
        assert_ne!(id(16, 1), id(17, 1));
        assert_ne!(id(16, 1), id(16, 2));
    }
}
