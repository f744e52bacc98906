//! What can go wrong with a measurement.

/// In words for the person at the terminal.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    #[error("{0}: {1}")]
    Io(String, #[source] std::io::Error),
    #[error("{0}")]
    Other(String),
}

pub(crate) type Result<T = ()> = std::result::Result<T, Fault>;

/// Says what was being done when an error came up.
pub(crate) trait During<T> {
    fn during(self, what: impl Into<String>) -> Result<T>;
}

impl<T, E: Into<std::io::Error>> During<T> for std::result::Result<T, E> {
    fn during(self, what: impl Into<String>) -> Result<T> {
        self.map_err(|error| Fault::Io(what.into(), error.into()))
    }
}

/// A fault in so many words.
pub(crate) fn fault<T>(text: impl Into<String>) -> Result<T> {
    Err(Fault::Other(text.into()))
}
