//! An engine with very many posts, for whoever measures what it takes to find one.

use crate::Engine;

/// A post that somebody wrote.
#[derive(Clone, Debug)]
pub struct Text {
    /// Which of the people it was.
    pub author: u16,
    /// When.
    pub time_ms: u64,
    /// What.
    pub text: String,
    /// What they made of it later.
    pub edit: Option<String>,
}

/// Somebody's name.
pub fn name(author: u16) -> String {
    use rand_core::SeedableRng;
    let mut rng = rand_chacha::ChaCha20Rng::seed_from_u64(author.into());
    crate::names::random(&mut rng)
}

/// An engine with one community and these posts in it.
pub fn library(texts: impl Iterator<Item = Text>) -> Option<Engine> {
    Engine::library(texts)
}
