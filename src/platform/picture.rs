//! Pictures of people: those of others are files from strangers, one's own is made small before it leaves.
mod kind;

use js_sys::{Array, Uint8Array};
use leptos::prelude::window;
use ume_api::PICTURE_BYTES_MAX;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Blob, BlobPropertyBag, File, ImageBitmap, ImageEncodeOptions, OffscreenCanvas,
    OffscreenCanvasRenderingContext2d, Url,
};

/// Longest side of a picture beside a post, pixels.
pub(crate) const LARGE_SIDE: u32 = 2048;
/// Sides that are tried, pixels, the largest first.
const SIDES: [u32; 3] = [192, 128, 96];
/// How well it is drawn, the best first.
const QUALITIES: [f64; 3] = [0.86, 0.7, 0.5];
/// What Safari cannot write, it writes as something else.
const KINDS: [&str; 2] = ["image/webp", "image/jpeg"];
/// Larger files are not opened, bytes.
const FILE_BYTES_MAX: f64 = 32.0 * 1024.0 * 1024.0;
/// A colour that a browser which protects against fingerprints does not give back.
const PROBE: ([u8; 3], &str) = ([160, 90, 124], "rgb(160, 90, 124)");
/// How far off it may come back all the same.
const PROBE_OFF: u8 = 8;

/// Why a file did not become a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unfit {
    /// The browser cannot read it as a picture.
    Unreadable,
    /// It is too large to be opened.
    TooLarge,
    /// The browser does not hand out what it draws.
    Withheld,
}

/// The address of a picture within this page, if the file is one that may be drawn. The page says what kind it is, not the
/// file: nothing in it can become a document.
pub(crate) fn address(file: &[u8]) -> Option<String> {
    address_as(file, kind::of(file)?)
}

/// The same of a picture beside a post, which may be as large as those that are made here.
pub(crate) fn large_address(file: &[u8]) -> Option<String> {
    address_as(file, kind::of_up_to(file, LARGE_SIDE)?)
}

/// The address of a file that is to be called so.
pub(super) fn address_as(file: &[u8], kind: &str) -> Option<String> {
    let parts = Array::of1(&Uint8Array::from(file));
    let options = BlobPropertyBag::new();
    options.set_type(kind);
    let blob = Blob::new_with_u8_array_sequence_and_options(&parts, &options).ok()?;
    Url::create_object_url_with_blob(&blob).ok()
}

/// Cuts a square from the middle of a picture and makes it small enough to be shown to others. What else the file told, such as
/// where it was taken, is not in the result.
///
/// # Errors
/// Why there is no such picture.
pub(crate) async fn make_small(file: &File) -> Result<Vec<u8>, Unfit> {
    if file.size() > FILE_BYTES_MAX {
        return Err(Unfit::TooLarge);
    }
    let opening = window().create_image_bitmap_with_blob(file);
    let opened = JsFuture::from(opening.map_err(|_| Unfit::Unreadable)?).await;
    let whole: ImageBitmap = opened
        .map_err(|_| Unfit::Unreadable)?
        .dyn_into()
        .map_err(|_| Unfit::Unreadable)?;
    for side in SIDES {
        let canvas = draw(&whole, side).ok_or(Unfit::Withheld)?;
        for kind in KINDS {
            for quality in QUALITIES {
                let small = encode(&canvas, kind, quality).await;
                let small = small.filter(|small| kind::of(small).is_some());
                match small {
                    Some(small) if small.len() <= PICTURE_BYTES_MAX => return Ok(small),
                    Some(_) => {}
                    // This kind cannot be written here.
                    None => break,
                }
            }
        }
    }
    Err(Unfit::Withheld)
}

/// The middle of a picture; `None`: what is drawn here does not come out again.
fn draw(whole: &ImageBitmap, side: u32) -> Option<OffscreenCanvas> {
    let canvas = OffscreenCanvas::new(side, side).ok()?;
    let context: OffscreenCanvasRenderingContext2d =
        canvas.get_context("2d").ok()??.dyn_into().ok()?;
    let to = f64::from(side);
    let (colour, name) = PROBE;
    context.set_fill_style_str(name);
    context.fill_rect(0.0, 0.0, to, to);
    let back = context.get_image_data(0.0, 0.0, 1.0, 1.0).ok()?.data();
    let near = |(is, was): (&u8, u8)| is.abs_diff(was) <= PROBE_OFF;
    if !back.iter().zip(colour).all(near) {
        return None;
    }
    // What is seen through shows the same on light and dark.
    context.set_fill_style_str("#fff");
    context.fill_rect(0.0, 0.0, to, to);
    let _ = js_sys::Reflect::set(&context, &"imageSmoothingQuality".into(), &"high".into());
    let (width, height) = (f64::from(whole.width()), f64::from(whole.height()));
    let from = width.min(height);
    let (left, top) = ((width - from) / 2.0, (height - from) / 2.0);
    context
        .draw_image_with_image_bitmap_and_sw_and_sh_and_dx_and_dy_and_dw_and_dh(
            whole, left, top, from, from, 0.0, 0.0, to, to,
        )
        .ok()?;
    Some(canvas)
}

async fn encode(canvas: &OffscreenCanvas, kind: &str, quality: f64) -> Option<Vec<u8>> {
    let options = ImageEncodeOptions::new();
    options.set_type(kind);
    options.set_quality(quality);
    let promise = canvas.convert_to_blob_with_options(&options).ok()?;
    let blob: Blob = JsFuture::from(promise).await.ok()?.dyn_into().ok()?;
    let bytes = JsFuture::from(blob.array_buffer()).await.ok()?;
    Some(Uint8Array::new(&bytes).to_vec())
}
