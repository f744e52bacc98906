//! Which files are drawn: still `WebP` and JPEG pictures of a small size. A few bytes could claim to be a picture so large that
//! drawing it takes all memory; everything else has no business here.

/// Longest side of a picture that is drawn, pixels.
const SIDE_MAX: u32 = 512;

/// The MIME type of a small file that may be drawn.
pub(super) fn of(file: &[u8]) -> Option<&'static str> {
    of_up_to(file, SIDE_MAX)
}

/// The MIME type of a file that may be drawn where pictures have sides of so many pixels at most.
pub(super) fn of_up_to(file: &[u8], side_max: u32) -> Option<&'static str> {
    let (kind, width, height) = if file.starts_with(&[0xff, 0xd8]) {
        let (width, height) = jpeg(file)?;
        ("image/jpeg", width, height)
    } else {
        let (width, height) = webp(file)?;
        ("image/webp", width, height)
    };
    let fits = |side: u32| (1..=side_max).contains(&side);
    (fits(width) && fits(height)).then_some(kind)
}

/// Width and height, as the first frame says.
fn jpeg(file: &[u8]) -> Option<(u32, u32)> {
    let mut rest = file.get(2..)?;
    loop {
        let [0xff, marker, high, low, ..] = *rest else {
            return None;
        };
        if (0xc0..=0xcf).contains(&marker) && ![0xc4, 0xc8, 0xcc].contains(&marker) {
            let side = |at: usize| {
                let bytes = rest.get(at..at + 2)?;
                Some(u32::from(bytes[0]) << 8 | u32::from(bytes[1]))
            };
            return Some((side(7)?, side(5)?));
        }
        let length = usize::from(high) << 8 | usize::from(low);
        rest = rest.get(2 + length..)?;
    }
}

/// Width and height of a still picture.
fn webp(file: &[u8]) -> Option<(u32, u32)> {
    let number = |at: usize, count: usize| {
        let bytes = file.get(at..at + count)?.iter().rev();
        Some(bytes.fold(0_u32, |number, byte| number << 8 | u32::from(*byte)))
    };
    if file.get(..4)? != b"RIFF" || file.get(8..12)? != b"WEBP" {
        return None;
    }
    match file.get(12..16)? {
        b"VP8 " => Some((number(26, 2)? & 0x3fff, number(28, 2)? & 0x3fff)),
        b"VP8L" => {
            let sides = number(21, 4)?;
            Some(((sides & 0x3fff) + 1, (sides >> 14 & 0x3fff) + 1))
        }
        // The second bit: it moves.
        b"VP8X" if file.get(20)? & 2 == 0 => Some((number(24, 3)? + 1, number(27, 3)? + 1)),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
