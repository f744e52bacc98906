//! Pictures drawn from keys: the same key has the same picture on every device, and a copied name has another.
use js_sys::Math;
use leptos::prelude::*;
use std::fmt::Write;

/// Half the side of the drawing.
const MIDDLE: i32 = 200;

/// Draws the picture of a person's mark. The name always stands beside it, so screen readers skip it.
pub(crate) fn avatar(mark: [u8; 8]) -> impl IntoView {
    let [
        ground,
        tint,
        outer,
        outer_turn,
        inner,
        inner_turn,
        heart,
        reach,
    ] = mark;
    let hue = degrees(ground);
    // Far enough from the ground to be seen, wherever it falls.
    let second = hue + 70 + i32::from(tint) * 220 / 255;
    let third = hue + 150 + i32::from(heart) * 60 / 255;
    let outer_shape = Ring::from_byte(outer, outer_turn, 66, 150 + i32::from(reach) % 4 * 9);
    let inner_shape = Ring::from_byte(inner, inner_turn, 26, 84 + i32::from(reach / 4) % 4 * 8);
    view! { class="u",
        <svg class="avatar" viewBox="0 0 400 400" aria-hidden="true" focusable="false">
            <rect width="400" height="400" fill=colour(88, 7, hue)></rect>
            <path d=outer_shape.path() fill=colour(58, 15, second)></path>
            <path d=inner_shape.path() fill=colour(84, 12, third)></path>
            <circle cx=MIDDLE cy=MIDDLE r=14 + i32::from(heart % 4) * 6 fill=colour(38, 11, hue)></circle>
        </svg>
    }
}

/// Petals around the middle.
struct Ring {
    count: i32,
    shape: u8,
    /// Degrees.
    turn: i32,
    from: i32,
    to: i32,
}

impl Ring {
    fn from_byte(byte: u8, turn: u8, from: i32, to: i32) -> Self {
        let count = i32::from(byte % 6) + 3;
        Self {
            count,
            shape: byte / 6 % 4,
            turn: degrees(turn),
            from,
            to,
        }
    }

    fn path(&self) -> String {
        let mut path = String::new();
        let half = 150 / self.count + 6;
        for number in 0..self.count {
            let angle = self.turn + 360 * number / self.count;
            let at = |distance: i32, aside: i32| point(angle + aside, distance);
            let middle = i32::midpoint(self.from, self.to);
            let (base, tip) = (at(self.from, 0), at(self.to, 0));
            let (left, right) = (at(middle, -half), at(middle, half));
            // Writing to a string cannot fail.
            let _ = match self.shape {
                // Leaf.
                0 => write!(path, "M{base}Q{left} {tip}Q{right} {base}Z"),
                // Kite.
                1 => write!(path, "M{base}L{left}L{tip}L{right}Z"),
                // Plum petal: round, with a notch.
                2 => {
                    let (far_left, far_right) = (at(self.to + 40, -half), at(self.to + 40, half));
                    let notch = at(self.to - 22, 0);
                    write!(
                        path,
                        "M{base}Q{left} {far_left}Q{tip} {notch}Q{tip} {far_right}Q{right} {base}Z"
                    )
                }
                // Fan.
                _ => {
                    let (far_left, far_right) = (at(self.to, -half), at(self.to, half));
                    write!(path, "M{base}L{far_left}Q{tip} {far_right}Z")
                }
            };
        }
        path
    }
}

fn point(degrees: i32, distance: i32) -> String {
    let angle = f64::from(degrees).to_radians();
    let along = |part: f64| {
        // At most a few hundred.
        #[allow(clippy::cast_possible_truncation)]
        let offset = Math::round(part * f64::from(distance)) as i32;
        MIDDLE + offset
    };
    format!("{} {}", along(Math::cos(angle)), along(Math::sin(angle)))
}

fn degrees(byte: u8) -> i32 {
    i32::from(byte) * 360 / 256
}

/// Lightness in hundredths, chroma in hundredths.
fn colour(lightness: i32, chroma: i32, hue: i32) -> String {
    format!("oklch({lightness}% 0.{chroma:02} {})", hue % 360)
}
