use serde::{Deserialize, Serialize};

/// A file of a post: the hash of where it lies and of what opens it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FileId(pub [u8; 32]);

/// Files of one post, at most.
pub const FILES_MAX: usize = 10;
/// Largest file, bytes: 10 MB.
pub const FILE_BYTES_MAX: usize = 10_000_000;
/// Longest name of a file, bytes of UTF-8.
pub const FILE_NAME_BYTES_MAX: usize = 128;
/// Longest description of a picture, bytes of UTF-8.
pub const ALTERNATIVE_BYTES_MAX: usize = 1000;
/// Largest tiny picture that stands for a file until it is here, bytes.
pub const PREVIEW_BYTES_MAX: usize = 800;

/// A file that is to go with a post.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewFile {
    /// Its name; shortened and cleaned of what does not belong into one.
    pub name: String,
    /// What it is, as in `image/webp`.
    pub media: String,
    /// Of a picture, pixels; 0: it is none.
    pub width: u32,
    /// The same.
    pub height: u32,
    /// The picture, tiny; at most [`PREVIEW_BYTES_MAX`] bytes, or nothing.
    pub preview: Vec<u8>,
    /// The file, 1 to [`FILE_BYTES_MAX`] bytes.
    pub bytes: Vec<u8>,
}

impl std::fmt::Debug for NewFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "NewFile({} bytes)", self.bytes.len())
    }
}

/// A file beside the text of a post. All but its id is what its author says: files are files from strangers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileView {
    /// Its id; `None`: this version cannot make sense of it, and nothing else of it says anything.
    pub id: Option<FileId>,
    /// Bytes.
    pub size: u64,
    /// What it is said to be, as in `image/webp`.
    pub media: String,
    /// Its name, without anything that leads elsewhere or cannot be seen.
    pub name: String,
    /// Of a picture, pixels; 0: it is none.
    pub width: u32,
    /// The same.
    pub height: u32,
    /// What a picture shows, in words; may be empty.
    pub alternative: String,
    /// The picture, tiny; may be empty.
    pub preview: Vec<u8>,
}

/// Where a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum FileState {
    /// On this device.
    Here,
    /// At the relay, or so its author said.
    Away,
    /// On its way here.
    Coming {
        /// How much of it is here, of a hundred.
        percent: u8,
    },
    /// Here, and on its way to the relay.
    Going {
        /// How much of it is there, of a hundred.
        percent: u8,
    },
    /// The relay does not have it: its author's device has not sent it yet. It is asked for again by itself.
    NotYet,
    /// The relay does not have it, and nobody is going to send it any more.
    Gone,
    /// What the relay has is not what was attached.
    Broken,
}
