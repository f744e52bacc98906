//! Looking for posts: words, an index of them in memory, and what of a text is shown.
//!
//! Nothing of an index is ever stored. It is made from the texts in memory when somebody looks for something for the first
//! time, and then kept right by whatever changes a text ([`Index::put`], [`Index::take`]). It is asked for texts that may be
//! meant; what each of them says now, whether it counts and whether its words are those that are looked for, is decided from
//! the post itself (`community/finding.rs`). So a mistake in the index can hide a post, and never show one.

mod index;
mod parts;
mod query;
#[cfg(any(test, feature = "fuzzing"))]
mod rules;
mod segment;
mod words;

pub(crate) use index::{Index, Wanted as Sought};
pub(crate) use query::Query;
#[cfg(feature = "fuzzing")]
pub(crate) use rules::holds;
