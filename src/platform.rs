//! What the browser offers, one file for each capability.
pub(crate) mod boot;
pub(crate) mod clipboard;
pub(crate) mod emoji;
pub(crate) mod focus;
pub(crate) mod form;
pub(crate) mod intl;
pub(crate) mod keys;
pub(crate) mod look;
pub(crate) mod memory;
pub(crate) mod picture;
pub(crate) mod pointer;
pub(crate) mod room;
pub(crate) mod saving;
pub(crate) mod share;
pub(crate) mod tabs;
pub(crate) mod timer;
pub(crate) mod updates;
