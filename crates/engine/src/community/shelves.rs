//! Posts that nobody wrote, for measuring.

use super::{Community, Kept};
use crate::entry::{self, Draft, Kind};
use crate::fuzzing::{Text, name};
use crate::ledger::Member;
use crate::proto;
use ed25519_dalek::SigningKey;
use ume_api::{EntryId, Role};

impl Community {
    /// Puts a post where it would be if somebody had written it.
    pub(crate) fn shelve(&mut self, text: &Text) {
        let mut author = [3; 32];
        author[..2].copy_from_slice(&text.author.to_be_bytes());
        let members = &mut self.chain.ledger.members;
        members.entry(author).or_insert_with(|| Member {
            name: name(text.author),
            line: String::new(),
            role: Role::Member,
            leaves: vec![],
            rescue: [].into(),
        });
        let Some(post) = self.shelve_one(&author, Kind::Post, text.time_ms, &text.text) else {
            return;
        };
        if let Some(edit) = &text.edit {
            self.shelve_one(&author, Kind::Edit(post), text.time_ms + 1, edit);
        }
    }

    fn shelve_one(
        &mut self,
        author: &[u8; 32],
        kind: Kind,
        time_ms: u64,
        text: &str,
    ) -> Option<EntryId> {
        let mut salt = [0; 16];
        salt[..8].copy_from_slice(&time_ms.to_be_bytes());
        let draft = Draft {
            kind,
            seq: 1,
            previous: None,
            parents: vec![],
            time_ms,
            expires_ms: None,
            content: text.as_bytes().to_vec(),
            salt,
            ledger: self.chain.ledger.len(),
        };
        let leaf = SigningKey::from_bytes(author);
        let written: proto::Written =
            entry::write_with(&self.chain.ledger.community, author, &leaf, draft, &[]);
        let entry = entry::parse(&written).ok()?;
        let id = entry.id;
        self.feed.add(Kept {
            entry,
            waiting: false,
            own: false,
            refused: false,
        });
        Some(id)
    }
}
