//! Attachments: files beside the text of a post or comment. The file itself lies at the relay as a parcel, sealed under a key of
//! its own; what the entry's body has of it says where, what opens it, and what its author says about it.
//!
//! A relay sees how many cells a parcel has. So a file is followed by zeros up to a length that many files have: powers of two
//! cells and one step between two of them, which makes some twenty lengths in all for at most half as much again.
//!
//! All of it comes from a stranger. What makes no sense here is no reason to refuse the entry: its text still stands.

mod gather;

pub(crate) use gather::{Gather, Gathered};

use crate::keys::Secret;
use crate::markdown;
use crate::parcel::{self, Blob};
use crate::proto;
use bytes::Bytes;
use prost::Message;
use rand_core::RngCore;
use ume_api::{
    ALTERNATIVE_BYTES_MAX, FILE_BYTES_MAX, FILE_NAME_BYTES_MAX, FILES_MAX, FileId, FileView,
    NewFile, PREVIEW_BYTES_MAX,
};
use ume_wire::auth::{Hash, hash};
use ume_wire::limits::{CELL_BYTES, FRAGMENT_BYTES, FRAGMENTS_MAX};

/// Longest list of attachments, bytes.
pub(crate) const LIST_BYTES_MAX: usize = 26 * 1024;
/// Cells of the smallest parcel, and of the largest one: that of [`FILE_BYTES_MAX`].
const CELLS: (usize, usize) = (8, 6144);
/// Longest name of a kind of file, bytes.
const MEDIA_BYTES_MAX: usize = 64;
/// Longest ending of a name that is kept when the name is too long, bytes.
const ENDING_BYTES_MAX: usize = 16;
/// What is said of a file of which nothing is known.
const MEDIA: &str = "application/octet-stream";
/// Longest side of a picture that is believed, pixels.
const SIDE_MAX: u32 = 16_384;

/// What an entry says of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Attachment {
    pub(crate) id: FileId,
    pub(crate) parcel: proto::Parcel,
    size: usize,
    media: String,
    name: String,
    sides: (u32, u32),
    alternative: String,
    preview: Vec<u8>,
}

/// The attachments at the end of a body, each of them if it makes sense.
pub(crate) fn read(list: &[u8]) -> Vec<Option<Attachment>> {
    let Ok(list) = proto::Attachments::decode(list) else {
        return vec![None];
    };
    let files = list.files.into_iter().take(FILES_MAX);
    files.map(Attachment::read).collect()
}

/// What [`read`] reads; `None`: too many, or too much is said of them.
pub(crate) fn write(files: &[Attachment]) -> Option<Vec<u8>> {
    let list = proto::Attachments {
        files: files.iter().map(Attachment::to_proto).collect(),
    };
    let list = list.encode_to_vec();
    (files.len() <= FILES_MAX && list.len() <= LIST_BYTES_MAX).then_some(list)
}

/// Seals a file; `None` if it is empty or too large.
pub(crate) fn seal(file: NewFile, rng: &mut impl RngCore) -> Option<(Attachment, Vec<Blob>)> {
    let size = file.bytes.len();
    if !(1..=FILE_BYTES_MAX).contains(&size) || file.preview.len() > PREVIEW_BYTES_MAX {
        return None;
    }
    let mut content = file.bytes;
    content.resize(padded(size), 0);
    let (parcel, blobs) = parcel::seal(&content, rng)?;
    let said = proto::Attachment {
        parcel: Some(parcel),
        size: size as u64,
        media: file.media,
        name: file.name,
        width: file.width,
        height: file.height,
        alternative: String::new(),
        preview: file.preview,
    };
    Attachment::read(said).map(|attachment| (attachment, blobs))
}

/// How long a file is with what follows it, bytes.
fn padded(size: usize) -> usize {
    bucket(size.div_ceil(FRAGMENT_BYTES)) * FRAGMENT_BYTES
}

/// The smallest length, in cells, that holds so many.
fn bucket(cells: usize) -> usize {
    let whole = cells.max(CELLS.0).next_power_of_two();
    let between = whole / 4 * 3;
    if (CELLS.0..=between).contains(&cells) {
        between
    } else {
        whole
    }
}

impl Attachment {
    /// Reads what an author said.
    pub(crate) fn read(said: proto::Attachment) -> Option<Self> {
        let parcel = said.parcel?;
        let size = usize::try_from(said.size).ok()?;
        let length = usize::try_from(parcel.length).ok()?;
        let sound = (1..=FILE_BYTES_MAX).contains(&size)
            && (size..=CELLS.1 * FRAGMENT_BYTES).contains(&length)
            && parcel::Fetch::new(&parcel).is_some();
        if !sound {
            return None;
        }
        let fits = |pixels: u32| (1..=SIDE_MAX).contains(&pixels);
        let is_picture = fits(said.width) && fits(said.height);
        Some(Self {
            id: id(&parcel),
            parcel,
            size,
            media: sound_media(&said.media),
            name: sound_name(&said.name),
            sides: if is_picture {
                (said.width, said.height)
            } else {
                (0, 0)
            },
            alternative: sound_words(&said.alternative, ALTERNATIVE_BYTES_MAX),
            preview: Some(said.preview)
                .filter(|preview| preview.len() <= PREVIEW_BYTES_MAX)
                .unwrap_or_default(),
        })
    }

    pub(crate) fn to_proto(&self) -> proto::Attachment {
        proto::Attachment {
            parcel: Some(self.parcel.clone()),
            size: self.size as u64,
            media: self.media.clone(),
            name: self.name.clone(),
            width: self.sides.0,
            height: self.sides.1,
            alternative: self.alternative.clone(),
            preview: self.preview.clone(),
        }
    }

    /// Says what it shows.
    pub(crate) fn describe(&mut self, words: &str) {
        self.alternative = sound_words(words, ALTERNATIVE_BYTES_MAX);
    }

    /// How many blobs its parcel has.
    pub(crate) fn pieces(&self) -> u32 {
        u32::try_from(self.parcel.blobs.len()).unwrap_or(u32::MAX)
    }

    /// Begins to gather one of its blobs; `None`: there is no such.
    pub(crate) fn gather(&self, number: u32) -> Option<Gather> {
        let at = usize::try_from(number).ok()?;
        let id: Hash = self.parcel.blobs.get(at)?[..].try_into().ok()?;
        let all = usize::try_from(self.parcel.length).ok()?;
        let cells = all
            .div_ceil(FRAGMENT_BYTES)
            .checked_sub(at * FRAGMENTS_MAX)?;
        let digest: Hash = self.parcel.hash[..].try_into().ok()?;
        let key = Secret::from_slice(&self.parcel.key)?;
        let place = parcel::place(&digest, number);
        Some(Gather::new(id, key, place, cells.min(FRAGMENTS_MAX)))
    }

    /// The file, of its sealed blobs; `None` if they are not what was attached.
    pub(crate) fn open<'a>(&self, pieces: impl Iterator<Item = &'a [u8]>) -> Option<Vec<u8>> {
        let mut content = parcel::open(&self.parcel, pieces.map(cells))?;
        let after = content.get(self.size..)?;
        if after.iter().any(|byte| *byte != 0) {
            return None;
        }
        content.truncate(self.size);
        Some(content)
    }

    /// What it shows, or what it is called.
    pub(crate) fn words(&self) -> &str {
        if self.alternative.is_empty() {
            &self.name
        } else {
            &self.alternative
        }
    }

    pub(crate) fn view(&self) -> FileView {
        FileView {
            id: Some(self.id),
            size: self.size as u64,
            media: self.media.clone(),
            name: self.name.clone(),
            width: self.sides.0,
            height: self.sides.1,
            alternative: self.alternative.clone(),
            preview: self.preview.clone(),
        }
    }
}

/// What is told of a file that makes no sense here.
pub(crate) fn unknown() -> FileView {
    FileView {
        id: None,
        size: 0,
        media: String::new(),
        name: String::new(),
        width: 0,
        height: 0,
        alternative: String::new(),
        preview: vec![],
    }
}

/// The cells of a blob as it is stored: one after the other.
pub(crate) fn cells(blob: &[u8]) -> Vec<Bytes> {
    blob.chunks(CELL_BYTES)
        .map(Bytes::copy_from_slice)
        .collect()
}

/// Two files are the same if they lie at the same place and the same opens them.
fn id(parcel: &proto::Parcel) -> FileId {
    let mut all = b"ume/1/file".to_vec();
    all.extend_from_slice(&parcel.key);
    all.extend_from_slice(&parcel.hash);
    all.extend_from_slice(&parcel.length.to_le_bytes());
    all.extend(parcel.blobs.iter().flatten());
    FileId(hash(&all))
}

/// A name of a kind of file that can do no harm where it is written.
fn sound_media(media: &str) -> String {
    let token = |part: &str| {
        let sound = |sign: u8| sign.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&sign);
        !part.is_empty() && part.bytes().all(sound)
    };
    let parts = media
        .split_once('/')
        .filter(|_| media.len() <= MEDIA_BYTES_MAX);
    match parts {
        Some((one, two)) if token(one) && token(two) => media.to_ascii_lowercase(),
        _ => MEDIA.to_owned(),
    }
}

/// A name without a path, without what cannot be seen or turns the direction, and not too long; its ending stays.
fn sound_name(name: &str) -> String {
    settled(name, |name| {
        let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
        let shown = shown(last, |sign| "<>:\"|?*".contains(sign), '_');
        let at_edge = |sign: char| sign == '.' || sign.is_whitespace();
        let shown = shown.trim_matches(at_edge);
        let (stem, ending) = match shown.rfind('.') {
            Some(at) if shown.len() - at <= ENDING_BYTES_MAX => shown.split_at(at),
            _ => (shown, ""),
        };
        let stem = beginning(stem, FILE_NAME_BYTES_MAX - ending.len());
        if stem.is_empty() {
            return format!("file{ending}");
        }
        format!("{stem}{ending}").trim_matches(at_edge).to_owned()
    })
}

fn sound_words(words: &str, bytes_max: usize) -> String {
    settled(words, |words| {
        let shown = shown(words, |_| false, ' ');
        beginning(shown.trim(), bytes_max).trim_end().to_owned()
    })
}

/// Cleans until there is nothing more to clean: what is left out may make something else worth leaving out.
fn settled(text: &str, clean: impl Fn(&str) -> String) -> String {
    let mut text = text.to_owned();
    loop {
        let cleaned = clean(&text);
        if cleaned == text {
            return text;
        }
        text = cleaned;
    }
}

/// A text in which all can be seen; what belongs into none is replaced.
fn shown(text: &str, is_foreign: impl Fn(char) -> bool, by: char) -> String {
    let seen = markdown::without_unseen(text);
    let replaced = seen.chars().map(|sign| match sign {
        sign if sign.is_control() || is_foreign(sign) => by,
        sign => sign,
    });
    replaced.collect()
}

/// As much of the beginning as fits.
fn beginning(text: &str, bytes_max: usize) -> &str {
    let mut end = text.len().min(bytes_max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests;
