//! A QR code as a picture.

use qrcode::{Color, EcLevel, QrCode};

use crate::error::{Error, Result};

/// The empty frame that readers need, in modules (ISO/IEC 18004 § 9.1).
const QUIET: usize = 4;

pub struct Picture {
    /// Width and height in modules, the quiet zone included.
    pub size: usize,
    /// One rectangle for each run of dark modules.
    pub path: String,
}

/// Fails when the text is too long.
pub fn picture(text: &str) -> Result<Picture> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M)
        .map_err(|e| Error::Internal(format!("QR code: {e}")))?;
    let width = code.width();
    let rows = code.to_colors();
    let path = rows.chunks(width).enumerate().map(|(y, row)| runs(row, y + QUIET)).collect();
    Ok(Picture { size: width + 2 * QUIET, path })
}

fn runs(row: &[Color], y: usize) -> String {
    let mut x = QUIET;
    let run = |run: &[Color]| {
        let (start, length) = (x, run.len());
        x += length;
        let dark = run.first() == Some(&Color::Dark);
        dark.then(|| format!("M{start} {y}h{length}v1h-{length}z"))
    };
    row.chunk_by(|a, b| a == b).filter_map(run).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finder_pattern_stands_in_the_corner() {
        let picture = picture("otpauth://totp/x").unwrap();
        assert!(picture.path.starts_with("M4 4h7v1h-7z"), "{}", picture.path);
        assert!(picture.size >= 21 + 8);
    }
}
