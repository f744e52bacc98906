//! What people say about posts: comments in a thread, and emoji beside a text.
//!
//! Both are entries that need no order between people. Of the reactions of one person to one text the newest by time
//! counts, so everybody sees the same, whatever arrives first.

use super::{Community, Ctx};
use crate::attachment::Attachment;
use crate::emoji;
use crate::entry::{Entry, Kind};
use std::collections::BTreeMap;
use ume_api::{Comments, EntryId, Failure, Hidden, PersonId, ReactionView};
use ume_wire::auth::Hash;

/// How much of the newest comment is told with its post, characters.
const BEGINNING_CHARS: usize = 120;
/// Different emoji that are shown beside a text, at most.
const EMOJI_SHOWN: usize = 24;
/// People that are named with an emoji, at most.
const NAMES_SHOWN: usize = 8;

impl Community {
    /// What a comment on a post is, if it may be commented on. What was taken back may be: people go on talking about it.
    pub(super) fn comment_on(&self, post: EntryId) -> Result<Kind, Failure> {
        let kept = self.feed.get(&post).filter(|kept| !kept.refused);
        let entry = &kept.ok_or(Failure::NotHere)?.entry;
        if entry.kind != Kind::Post || entry.has_ended() {
            return Err(Failure::NotHere);
        }
        Ok(Kind::Comment(post))
    }

    /// Puts an emoji beside a text, or takes it away. What is so already is not said again.
    pub(crate) fn react(
        &mut self,
        ctx: &mut Ctx<'_>,
        post: EntryId,
        emoji: String,
    ) -> Result<(), Failure> {
        if !emoji.is_empty() && !emoji::is_one(&emoji) {
            return Err(Failure::BadText);
        }
        let entry = self.published(&post)?;
        let known = self.reactions(entry).remove(&self.saved.persona);
        let known = known
            .and_then(|one| one.text.as_deref())
            .unwrap_or_default();
        if known != emoji {
            self.write(ctx, Kind::Reaction(post), emoji.into_bytes(), None)?;
        }
        Ok(())
    }

    /// The reaction of each person that counts, empty ones and nonsense among them.
    pub(super) fn reactions(&self, post: &Entry) -> BTreeMap<Hash, &Entry> {
        let about = self.feed.about(&post.id);
        let all = about.filter(|one| matches!(one.kind, Kind::Reaction(_)));
        all.map(|one| (one.author, one)).collect()
    }

    pub(super) fn reaction_views(&self, post: &Entry) -> Vec<ReactionView> {
        let mut all: Vec<&Entry> = self.reactions(post).into_values().collect();
        all.retain(|one| !self.hides_person(&one.author));
        all.sort_unstable_by_key(|one| (one.time_ms, one.id));
        let mut views: Vec<ReactionView> = Vec::new();
        for one in all {
            let Some(emoji) = one.text.as_deref().filter(|text| emoji::is_one(text)) else {
                continue;
            };
            let at = views.iter().position(|view| view.emoji == emoji);
            let at = at.unwrap_or_else(|| {
                views.push(ReactionView {
                    emoji: emoji.to_owned(),
                    count: 0,
                    mine: false,
                    names: vec![],
                });
                views.len() - 1
            });
            let Some(view) = views.get_mut(at) else {
                continue;
            };
            view.count = view.count.saturating_add(1);
            if one.author == self.saved.persona {
                view.mine = true;
            } else if view.names.len() < NAMES_SHOWN {
                view.names.push(self.person(&one.author).name);
            }
        }
        // One's own is always among them: it has to be possible to take it away.
        if views.len() > EMOJI_SHOWN {
            views.sort_by_key(|view| (!view.mine, std::cmp::Reverse(view.count)));
            views.truncate(EMOJI_SHOWN);
        }
        views
    }

    /// A thread in short.
    pub(super) fn comments(&self, post: &EntryId) -> Comments {
        let thread = self.feed.thread(post);
        let mut seen = thread.filter(|one| self.hides(&one.entry).is_none()).rev();
        let Some(newest) = seen.next() else {
            return Comments::default();
        };
        let entry = &newest.entry;
        Comments {
            count: u32::try_from(seen.count().saturating_add(1)).unwrap_or(u32::MAX),
            newest: Some((self.person(&entry.author), self.beginning(entry))),
        }
    }

    /// How a text begins; empty if it was taken back.
    pub(super) fn beginning(&self, entry: &Entry) -> String {
        let text = if self.unpublished(entry).is_some() {
            ""
        } else {
            self.newest_text(entry)
        };
        let line = text.lines().find(|line| !line.trim().is_empty());
        // Where there is nothing but files, the first of them says what it is.
        let file = entry.files.iter().flatten().next();
        let line = line.or_else(|| file.map(Attachment::words));
        line.unwrap_or_default()
            .chars()
            .take(BEGINNING_CHARS)
            .collect()
    }

    /// Whether somebody is named below a text: by a reaction, or as who commented last.
    pub(super) fn takes_part(&self, post: &Entry, person: &Hash) -> bool {
        let mut thread = self.feed.thread(&post.id).rev();
        self.reactions(post).contains_key(person)
            || thread.next().is_some_and(|one| one.entry.author == *person)
    }

    fn hides_person(&self, person: &Hash) -> bool {
        let hidden = Hidden::Person(PersonId(*person));
        self.saved.hidden.contains(&hidden)
    }
}
