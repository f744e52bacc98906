//! What people might write.

use rand_chacha::ChaCha20Rng;
use rand_core::{RngCore, SeedableRng};
use std::fmt::Write;
use ume_engine::fuzzing::Text;

const WORDS: u32 = 60_000;
const PEOPLE: u32 = 200;
/// 2023-09-20, milliseconds since 1970.
const BEGIN_MS: u64 = 1_695_200_000_000;
/// Three years.
const SPAN_MS: u64 = 3 * 365 * 24 * 3_600_000;
const SYLLABLES: [&str; 40] = [
    "a", "e", "i", "o", "u", "an", "en", "in", "on", "un", "ba", "be", "da", "de", "fi", "ga",
    "ge", "ha", "ka", "ke", "la", "le", "li", "lo", "ma", "me", "mi", "na", "ne", "no", "ra", "re",
    "ri", "sa", "se", "ta", "te", "ti", "wa", "ü",
];
const SPACELESS: &str =
    "的一是了我不人在他有这个上们来到时大地为子中你说生国年着就那和要她出也得里后自以会";

pub(crate) struct Writing {
    rng: ChaCha20Rng,
}

impl Writing {
    pub(crate) fn new() -> Self {
        Self {
            rng: ChaCha20Rng::seed_from_u64(1),
        }
    }

    fn below(&mut self, bound: u32) -> u32 {
        u32::try_from((u64::from(self.rng.next_u32()) * u64::from(bound)) >> 32).unwrap_or_default()
    }

    /// So many posts in the order of their times.
    pub(crate) fn library(&mut self, posts: usize) -> Vec<Text> {
        let step = SPAN_MS / posts.max(1) as u64;
        let mut all = Vec::with_capacity(posts);
        for number in 0..posts as u64 {
            let text = self.text();
            let edited = self.below(30) == 0;
            all.push(Text {
                author: self.below(PEOPLE).try_into().unwrap_or_default(),
                time_ms: BEGIN_MS + number * step,
                edit: edited.then(|| format!("{text} {}", self.word())),
                text,
            });
        }
        all
    }

    fn text(&mut self) -> String {
        // Most are short, a few are long.
        let words = match self.below(100) {
            0..50 => 1 + self.below(12),
            50..90 => 10 + self.below(30),
            90..99 => 40 + self.below(100),
            _ => 150 + self.below(350),
        };
        if self.below(40) == 0 {
            return (0..words).map(|_| self.spaceless()).collect();
        }
        let all: Vec<String> = (0..words).map(|_| self.word()).collect();
        let mut text = all.join(" ");
        if self.below(20) == 0 {
            text.push_str(" https://example.org/");
            // To write to a text never fails.
            let _ = write!(text, "{:x}", self.rng.next_u64());
        }
        text
    }

    /// A word by its rank: half of the ranks are those that are used half as often.
    fn word(&mut self) -> String {
        let bits = 32 - WORDS.leading_zeros();
        let most = 1 << self.below(bits);
        let rank = (most + self.below(most)).min(WORDS);
        spell(rank)
    }

    pub(crate) fn common(&mut self) -> String {
        let rank = 1 + self.below(40);
        spell(rank)
    }

    pub(crate) fn rare(&mut self) -> String {
        let rank = WORDS / 2 + self.below(WORDS / 2);
        spell(rank)
    }

    /// The beginning of a word that is used as often as words are.
    pub(crate) fn beginning(&mut self, letters: usize) -> String {
        self.word().chars().take(letters).collect()
    }

    pub(crate) fn name(&mut self) -> String {
        let number = self.below(PEOPLE).try_into().unwrap_or_default();
        ume_engine::fuzzing::name(number)
    }

    pub(crate) fn spaceless(&mut self) -> String {
        let letters: Vec<char> = SPACELESS.chars().collect();
        let count = 1 + self.below(3);
        let all = u32::try_from(letters.len()).unwrap_or(1);
        (0..count)
            .filter_map(|_| letters.get(self.below(all) as usize))
            .collect()
    }

    pub(crate) fn day(&mut self) -> u64 {
        BEGIN_MS + u64::from(self.below(1_000)) * 24 * 3_600_000
    }
}

/// The word of a rank: always the same, and the more common the shorter.
fn spell(rank: u32) -> String {
    let mut rest = rank.wrapping_mul(0x9e37_79b1);
    let count = 1 + rank.ilog2() / 5;
    let mut word = String::new();
    let all = u32::try_from(SYLLABLES.len()).unwrap_or(1);
    for _ in 0..=count {
        let syllable = SYLLABLES.get((rest % all) as usize);
        word.push_str(syllable.unwrap_or(&""));
        rest = (rest / all) ^ rank.wrapping_mul(7);
    }
    word
}
