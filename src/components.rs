//! The parts that pages are made of, one file each.
//!
//! Every `view!` here and in the pages names a global class (`class="u"`): without one Leptos builds static parts through
//! `innerHTML`, which our content security policy forbids and the build refuses.
pub(crate) mod anew;
pub(crate) mod announcer;
pub(crate) mod ask;
pub(crate) mod asking;
pub(crate) mod avatar;
pub(crate) mod communities;
pub(crate) mod composer;
pub(crate) mod contest;
pub(crate) mod editor;
pub(crate) mod field;
pub(crate) mod hand_sheet;
pub(crate) mod header;
pub(crate) mod hides;
pub(crate) mod icon;
pub(crate) mod invites;
pub(crate) mod live;
pub(crate) mod lookup;
pub(crate) mod mark;
pub(crate) mod member_sheet;
pub(crate) mod members;
pub(crate) mod notices;
pub(crate) mod pins;
pub(crate) mod portrait;
pub(crate) mod post;
pub(crate) mod post_menu;
pub(crate) mod post_sheet;
pub(crate) mod preferences;
pub(crate) mod profile;
pub(crate) mod qr;
pub(crate) mod requests;
pub(crate) mod roles;
pub(crate) mod rules;
pub(crate) mod share;
pub(crate) mod sheet;
pub(crate) mod side;
pub(crate) mod silence;
pub(crate) mod strip;
pub(crate) mod timeline;
pub(crate) mod trouble;
pub(crate) mod troubles;
pub(crate) mod update_bar;
pub(crate) mod word;
pub(crate) mod writing;
