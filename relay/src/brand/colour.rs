//! Colours, and how far one stands out from another.

/// In sRGB, each part from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Colour([f64; 3]);

impl Colour {
    /// From `#rrggbb`.
    pub(super) fn read(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#')?;
        if digits.len() != 6 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        let part = |at: usize| {
            let part = u8::from_str_radix(digits.get(at..at + 2)?, 16).ok()?;
            Some(f64::from(part) / 255.0)
        };
        Some(Self([part(0)?, part(2)?, part(4)?]))
    }

    /// From 1 to 21 (WCAG 2.2, contrast ratio).
    pub(super) fn contrast(self, other: Self) -> f64 {
        let (one, other) = (self.luminance(), other.luminance());
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    fn luminance(self) -> f64 {
        let linear = |part: f64| {
            if part <= 0.04045 {
                part / 12.92
            } else {
                ((part + 0.055) / 1.055).powf(2.4)
            }
        };
        let [red, green, blue] = self.0.map(linear);
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn black_on_white_is_as_far_as_it_goes() {
        let colour = |text| Colour::read(text).unwrap();
        assert!((colour("#000000").contrast(colour("#ffffff")) - 21.0).abs() < 1e-9);
        assert!((colour("#777777").contrast(colour("#ffffff")) - 4.48).abs() < 0.01);
        for wrong in ["", "#fff", "red", "#12345g", "1234567", "#ééé"] {
            assert!(Colour::read(wrong).is_none(), "{wrong}");
        }
    }
}
