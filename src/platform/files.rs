//! Files that a person chooses, and files that are saved.
use super::boot;
use super::picture::{LARGE_SIDE, address_as};
use super::timer;
use js_sys::{Array, Function, Promise, Uint8Array};
use leptos::prelude::document;
use ume_api::{FILE_BYTES_MAX, PREVIEW_BYTES_MAX};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{File, FileList, HtmlElement, Url};

/// Longest side of the tiny picture that stands for one that is not here yet, pixels.
const TINY_SIDE: u32 = 20;
/// Larger files are not opened as pictures, bytes.
const OPENED_BYTES_MAX: f64 = 64.0 * 1024.0 * 1024.0;
/// A file that is being saved may be read for so long, milliseconds.
const SAVING_MS: u64 = 60_000;

/// A picture that was drawn anew.
pub(crate) struct Small {
    pub(crate) bytes: Vec<u8>,
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) preview: Vec<u8>,
}

/// The files of a list.
pub(crate) fn all(list: Option<&FileList>) -> Vec<File> {
    let length = list.map_or(0, FileList::length);
    (0..length).filter_map(|at| list?.get(at)).collect()
}

/// Whether a file is worth trying to be drawn. What moves by scripts of its own never is.
pub(crate) fn may_be_picture(file: &File) -> bool {
    let kind = file.type_();
    kind.starts_with("image/") && !kind.contains("svg") && file.size() <= OPENED_BYTES_MAX
}

/// Draws a picture anew, small enough; `None`: it is none, or this browser cannot.
pub(crate) async fn shrink(file: &File) -> Option<Small> {
    let paint: Function = boot::member("paint")?.dyn_into().ok()?;
    let numbers = [
        LARGE_SIDE as usize,
        FILE_BYTES_MAX,
        TINY_SIDE as usize,
        PREVIEW_BYTES_MAX,
    ];
    let what = Array::of1(file);
    for number in numbers {
        what.push(&JsValue::from(u32::try_from(number).unwrap_or(u32::MAX)));
    }
    let painting: Promise = paint
        .apply(&JsValue::UNDEFINED, &what)
        .ok()?
        .dyn_into()
        .ok()?;
    let painted: Array = JsFuture::from(painting).await.ok()?.dyn_into().ok()?;
    let bytes = |at| Uint8Array::new(&painted.get(at)).to_vec();
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    // a float cast saturates; sides are small
    let side = |at| painted.get(at).as_f64().unwrap_or_default() as u32;
    Some(Small {
        bytes: bytes(0),
        width: side(1),
        height: side(2),
        preview: bytes(3),
    })
}

/// A file as it is; `None`: it is empty, too large, or cannot be read.
pub(crate) async fn read(file: &File) -> Option<Vec<u8>> {
    let fits = (1.0..=f64::from(u32::try_from(FILE_BYTES_MAX).ok()?)).contains(&file.size());
    let reading = fits.then(|| file.array_buffer())?;
    let bytes = JsFuture::from(reading).await.ok()?;
    Some(Uint8Array::new(&bytes).to_vec())
}

/// Hands a file to the person, who says where it goes. Whatever it is: to the browser it is just bytes.
pub(crate) fn save(name: &str, bytes: &[u8]) {
    let Some(address) = address_as(bytes, "application/octet-stream") else {
        return;
    };
    let link = document().create_element("a").ok();
    if let Some(link) = link.and_then(|link| link.dyn_into::<HtmlElement>().ok()) {
        let _ = link.set_attribute("href", &address);
        let _ = link.set_attribute("download", name);
        link.click();
    }
    timer::after(SAVING_MS, move || forget(&address));
}

/// Nothing shows this any more.
pub(crate) fn forget(address: &str) {
    let _ = Url::revoke_object_url(address);
}

/// Calls once when an element comes into sight.
pub(crate) fn near(element: &JsValue, call: impl FnOnce() + 'static) {
    let near = boot::member("near").and_then(|near| near.dyn_into::<Function>().ok());
    if let Some(near) = near {
        let _ = near.call2(&JsValue::UNDEFINED, element, &Closure::once_into_js(call));
    }
}
