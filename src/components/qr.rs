//! A text as a QR code.
use leptos::prelude::*;
use qrcode::{Color, EcLevel, QrCode};
use std::fmt::Write;

/// The empty border that readers need, in modules.
const BORDER: usize = 4;

/// Draws a QR code, dark on light in either theme as cameras expect; nothing when the text is too long for one.
pub(crate) fn qr(text: &str, label: String) -> Option<impl IntoView + use<>> {
    // A screen is not a torn poster: the lowest level of repair makes the coarsest, quickest picture.
    let code = QrCode::with_error_correction_level(text, EcLevel::L).ok()?;
    let side = code.width();
    let whole = side + 2 * BORDER;
    let view_box = format!("0 0 {whole} {whole}");
    Some(view! { class="u",
        <svg class="qr" viewBox=view_box role="img" aria-label=label shape-rendering="crispEdges" data-test="qr">
            <rect class="qr-light" width=whole height=whole></rect>
            <path class="qr-dark" d=path(&code.to_colors(), side)></path>
        </svg>
    })
}

/// One box for each run of dark modules in a row.
fn path(colors: &[Color], side: usize) -> String {
    let mut path = String::new();
    for (y, row) in colors.chunks(side.max(1)).enumerate() {
        let mut x = 0;
        for run in row.chunk_by(|one, next| one == next) {
            let length = run.len();
            if run.first() == Some(&Color::Dark) {
                // Writing to a string cannot fail.
                let _ = write!(path, "M{} {}h{length}v1h-{length}z", x + BORDER, y + BORDER);
            }
            x += length;
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use super::path;
    use qrcode::Color::{Dark, Light};

    #[test]
    fn each_run_of_dark_modules_is_one_box() {
        assert_eq!(
            path(&[Dark, Dark, Light, Dark], 2),
            "M4 4h2v1h-2zM5 5h1v1h-1z"
        );
        assert_eq!(path(&[], 0), "");
    }
}
