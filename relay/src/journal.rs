//! What the relay says about itself: that it started, stopped or failed. Never an id, an address of a client, or the
//! size of a message, so that there is nothing in the logs that could be asked for.

/// Writes one line to the standard error output.
pub(crate) fn note(text: &str) {
    eprintln!("ume-relay: {text}");
}
