use crate::view::{HistoryWindow, Person};
use crate::{AccessKeyText, EntryId};
use serde::{Deserialize, Serialize};

/// A person in one community: their public key there. Other communities know them by other keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PersonId(pub [u8; 32]);

/// What somebody is in a community. Each may do what those before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Role {
    /// Reads.
    Reader,
    /// Takes part.
    Member,
    /// Helps to run the community.
    Admin,
    /// Gives roles and makes the rules.
    Owner,
}

/// What a community's rules speak of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Right {
    /// Writing posts.
    Post,
    /// Making invites.
    Invite,
    /// Putting posts on top of the feed.
    Pin,
    /// Taking people out.
    Moderate,
}

/// Who may do what: for each right the lowest role that has it. Everybody sees them, owners change them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rules {
    /// From [`Role::Member`] on.
    pub post: Role,
    /// From [`Role::Member`] on.
    pub invite: Role,
    /// From [`Role::Member`] on.
    pub pin: Role,
    /// From [`Role::Admin`] on.
    pub moderate: Role,
    /// Whether people come in only after somebody said yes to them: open invites let in nobody.
    pub private_only: bool,
}

impl Rules {
    /// The lowest role that has a right.
    pub fn lowest(&self, right: Right) -> Role {
        match right {
            Right::Post => self.post,
            Right::Invite => self.invite,
            Right::Pin => self.pin,
            Right::Moderate => self.moderate,
        }
    }

    /// Whether a role has a right.
    pub fn allow(&self, role: Role, right: Right) -> bool {
        role >= self.lowest(right)
    }

    /// Whether a community may have these rules: readers have no rights, and members take nobody out.
    pub fn are_sound(&self) -> bool {
        let taking_part = [self.post, self.invite, self.pin];
        taking_part.iter().all(|lowest| *lowest >= Role::Member) && self.moderate >= Role::Admin
    }
}

impl Default for Rules {
    /// Every community begins with these: members post, admins do the rest, and invites of both kinds work.
    fn default() -> Self {
        Self {
            post: Role::Member,
            invite: Role::Admin,
            pin: Role::Admin,
            moderate: Role::Admin,
            private_only: false,
        }
    }
}

/// A line of the list of members.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberView {
    /// Who it is.
    pub person: Person,
    /// What they are here.
    pub role: Role,
    /// What they say about themselves; may be empty.
    pub line: String,
    /// Who they were before they lost their key, if an owner vouched for that.
    pub was: Option<Person>,
    /// Whether a device of who they were says that this is a mistake. An owner can undo it: [`Act::UndoRecovery`].
    pub contested: bool,
}

/// A line of the list of those who are no longer in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormerView {
    /// Who it was.
    pub person: Person,
    /// How they went; never [`Departure::Lost`].
    pub how: Departure,
    /// Who is said to be the same person since, if an owner vouched for that.
    pub now: Option<Person>,
    /// Whether a device of theirs says that this is a mistake.
    pub contested: bool,
}

/// What a device can say whose person is out because an owner took somebody else for them ([`Act::Recover`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Contest {
    /// That it is a mistake: [`crate::Command::Contest`], once.
    Possible,
    /// It was said, and is on its way.
    Sending,
    /// The relay has it; the next member who is there carries it to all.
    Sent,
}

/// An invite in one community: the hash of its public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct InviteId(pub [u8; 32]);

/// Who may come in by an invite.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum InviteKind {
    /// Whoever has the link.
    Open,
    /// One person: who asks by the link, and is answered with yes by its maker, an admin or an owner.
    Private,
}

/// Somebody's asking to come in by a private invite: the hash of the certificate of their device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RequestId(pub [u8; 32]);

/// Somebody who asks to come in. All of it is what they say of themselves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestView {
    /// What is to be answered.
    pub id: RequestId,
    /// By which invite they ask.
    pub invite: InviteId,
    /// Who made that.
    pub issuer: Person,
    /// The name and the key that they would have here.
    pub person: Person,
    /// What they wrote; may be empty. At most [`crate::NOTE_BYTES_MAX`] bytes.
    pub note: String,
}

/// Why somebody who asked does not come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Refusal {
    /// Somebody said no.
    Declined,
    /// The invite let in somebody else.
    UsedUp,
    /// Its time was over before anybody answered.
    Expired,
    /// It was withdrawn, or who made it may no longer invite.
    Withdrawn,
}

/// A line of the list of invites. Every member sees all of them, and nobody sees a link here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InviteView {
    /// Which one.
    pub id: InviteId,
    /// Who may come in by it.
    pub kind: InviteKind,
    /// Who made it.
    pub issuer: Person,
    /// How many came in through it; through a private one, how many were let in.
    pub uses: u32,
    /// How many may in all; `None`: any number.
    pub max_uses: Option<u32>,
    /// Milliseconds since 1970 when it expires; `None`: never.
    pub expires_at: Option<u64>,
    /// What a newcomer may read.
    pub history: HistoryWindow,
    /// What a newcomer is.
    pub role: Role,
    /// Whether it still lets people in.
    pub state: InviteState,
}

/// Whether an invite still lets people in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum InviteState {
    /// It does.
    Open,
    /// Its time is over.
    Expired,
    /// It was used as often as it allows.
    UsedUp,
    /// It was withdrawn, or who made it may no longer invite.
    Withdrawn,
    /// It ended because somebody was banned.
    Banned,
}

/// How a membership ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Departure {
    /// By this person.
    Left,
    /// Somebody took this person out.
    Removed,
    /// The same, and all invites ended with it.
    Banned,
    /// By nobody: the relay was put back to before this person came in, others went on from there, and the link by which
    /// they came no longer works. A new one helps.
    Lost,
}

/// Something that changes how a community is run. It is done when the community's ledger holds it; answered with
/// [`crate::Reply::Done`] then, and at once with [`crate::Failure::NotAllowed`] if this profile may not do it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Act {
    /// Gives somebody a role, up to admin. For owners.
    SetRole {
        /// Whom; not an owner.
        person: PersonId,
        /// Their new role, [`Role::Admin`] at most.
        role: Role,
    },
    /// Changes the rules. For owners.
    SetRules {
        /// The new rules; [`Rules::are_sound`].
        rules: Rules,
    },
    /// Puts a post on top of the feed, or takes it from there. At most [`PINS_MAX`] are on top.
    Pin {
        /// The post.
        post: EntryId,
        /// Whether it is to be on top.
        on: bool,
    },
    /// Takes somebody out, whose role is below one's own. Their devices can open and write nothing later. Links stay as
    /// they are: whoever kept one can come in by it again, or read what its holders can read.
    Remove {
        /// Whom.
        person: PersonId,
        /// Ends all invites as well. Those who made them are told ([`crate::Notice::LinksEnded`]), and make new ones for
        /// whom they wish.
        ban: bool,
    },
    /// Goes. What was read stays on this device until [`crate::Command::Forget`]; nothing new comes. The last owner
    /// cannot go.
    Leave,
    /// Offers ownership to somebody, or takes the offer back. For owners.
    OfferOwnership {
        /// To whom.
        person: PersonId,
        /// Whether the offer is to stand.
        on: bool,
        /// Whether this profile stays an owner beside them; otherwise it is an admin once they accept.
        stay: bool,
    },
    /// Accepts ownership that was offered: [`crate::CommunityView::offered`].
    AcceptOwnership {
        /// Who offered it.
        from: PersonId,
    },
    /// Gives posts to somebody else: one's own, or as an owner of the community anybody's. Each post tells by whom and when
    /// ([`crate::Command::Owners`]).
    Transfer {
        /// Who owns them so far; posts of others stay as they are.
        from: PersonId,
        /// Who is to own them.
        to: PersonId,
        /// Which one; `None`: all of them.
        post: Option<EntryId>,
    },
    /// Gives a person who lost their key, and came in again as somebody new, back what they were and owned: the old persona is
    /// taken out, its role and its posts are the new one's. For owners, who make sure first, by other means, that the two are
    /// the same; everybody sees it ([`MemberView::was`]). Not for owners who lost their key.
    Recover {
        /// Who they were.
        old: PersonId,
        /// Who they are now; in the community already.
        new: PersonId,
    },
    /// Changes one's own name in this community, and the line about oneself.
    SetProfile {
        /// The name, 1 to [`crate::NAME_BYTES_MAX`] bytes of UTF-8.
        name: String,
        /// The line, [`crate::LINE_BYTES_MAX`] bytes of UTF-8 at most; may be empty.
        line: String,
    },
    /// Changes the relay's access key that pays for the community, for everybody. For admins and owners. Not a whole key:
    /// [`crate::Failure::AccessRefused`], at once; whether the relay takes it shows with the next lane.
    SetAccess {
        /// The key; `None`: none is needed any more.
        key: Option<AccessKeyText>,
    },
    /// Withdraws an invite: one's own, or as an admin anyone's. What its holders could read of what comes later, they
    /// can no longer.
    RevokeInvite {
        /// Which one.
        invite: InviteId,
    },
    /// Answers somebody who asks to come in by a private invite. The first answer counts. For the invite's maker, admins and
    /// owners. A yes to a second person, or through an invite that has ended: [`crate::Failure::InviteUsedUp`] and its like.
    AnswerRequest {
        /// The invite.
        invite: InviteId,
        /// Who asks.
        request: RequestId,
        /// Whether they are let in.
        yes: bool,
    },
    /// Turns down ownership that was offered: the offer is gone for everybody.
    DeclineOwnership {
        /// Who offered it.
        from: PersonId,
    },
    /// Undoes [`Act::Recover`]: the posts that it moved go back, whoever owns them since, and so does the role that it gave. The
    /// old persona is not in by that: its person needs a link, and comes in as who they were. The other one stays, as they were
    /// before. For owners.
    UndoRecovery {
        /// Who had been recovered.
        old: PersonId,
    },
}

/// Posts on top of a feed.
pub const PINS_MAX: usize = 16;
