//! What an acceptor does with ballots: the rules of one slot, without any storage.
//!
//! With one acceptor the first accepted value is final. With several, a value may be replaced by one with a higher
//! ballot; the proposers' rules make that safe, not the relay.

use crate::refusal::Refusal;
use ume_wire::{
    auth::ballot_order,
    limits::BALLOT_ROUND_AHEAD_MAX,
    relay::{Ballot, Vote},
};

/// What a relay has to remember about a slot.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct SlotState {
    /// Nothing below this is accepted any more.
    pub(crate) promised: Ballot,
    /// What was accepted last.
    pub(crate) accepted: Option<Vote>,
}

/// What comes of a vote.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Accepting {
    /// It is accepted; this is the new state.
    New(SlotState),
    /// The slot holds this value already, for good.
    Already(Vote),
}

impl SlotState {
    /// The state after promising this ballot.
    pub(crate) fn prepare(&self, ballot: &Ballot) -> Result<Self, Refusal> {
        self.check(ballot)?;
        Ok(Self {
            promised: ballot.clone(),
            accepted: self.accepted.clone(),
        })
    }

    /// What a vote leads to. `acceptors` is the lane's.
    pub(crate) fn accept(&self, vote: &Vote, acceptors: u32) -> Result<Accepting, Refusal> {
        if acceptors <= 1
            && let Some(accepted) = &self.accepted
        {
            return if accepted.value_hash == vote.value_hash {
                Ok(Accepting::Already(accepted.clone()))
            } else {
                Err(Refusal::CONFLICT)
            };
        }
        let ballot = vote.ballot.as_ref().ok_or(Refusal::MALFORMED)?;
        self.check(ballot)?;
        Ok(Accepting::New(Self {
            promised: ballot.clone(),
            accepted: Some(vote.clone()),
        }))
    }

    fn check(&self, ballot: &Ballot) -> Result<(), Refusal> {
        if ballot_order(ballot) < ballot_order(&self.promised) {
            return Err(Refusal::ballot(self.promised.round));
        }
        // Otherwise one ballot with the highest round of all would close the slot to everybody else.
        if ballot.round > self.promised.round.saturating_add(BALLOT_ROUND_AHEAD_MAX) {
            return Err(Refusal::LIMIT);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn ballot(round: u32, tie: u8) -> Ballot {
        Ballot {
            round,
            tie: Bytes::from(vec![tie; 12]),
        }
    }

    fn vote(round: u32, tie: u8, value: u8) -> Vote {
        Vote {
            ballot: Some(ballot(round, tie)),
            value_hash: Bytes::from(vec![value; 32]),
            ..Vote::default()
        }
    }

    #[test]
    fn a_promise_holds() {
        let state = SlotState::default().prepare(&ballot(2, 5)).unwrap();
        assert_eq!(state.prepare(&ballot(2, 5)).unwrap(), state);
        assert_eq!(state.prepare(&ballot(2, 4)), Err(Refusal::ballot(2)));
        assert_eq!(state.prepare(&ballot(1, 9)), Err(Refusal::ballot(2)));
        assert_eq!(state.accept(&vote(2, 4, 1), 1), Err(Refusal::ballot(2)));
        assert_eq!(
            state.prepare(&ballot(18, 0)).unwrap().promised,
            ballot(18, 0)
        );
        assert_eq!(state.prepare(&ballot(19, 0)), Err(Refusal::LIMIT));
    }

    #[test]
    fn one_acceptor_never_changes_its_mind() {
        let Ok(Accepting::New(state)) = SlotState::default().accept(&vote(1, 1, 7), 1) else {
            panic!()
        };
        let later = state.prepare(&ballot(9, 9)).unwrap();
        assert_eq!(later.accepted, Some(vote(1, 1, 7)));
        assert_eq!(later.accept(&vote(9, 9, 8), 1), Err(Refusal::CONFLICT));
        assert_eq!(
            later.accept(&vote(0, 0, 7), 1),
            Ok(Accepting::Already(vote(1, 1, 7)))
        );
    }

    #[test]
    fn several_acceptors_follow_the_higher_ballot() {
        let Ok(Accepting::New(state)) = SlotState::default().accept(&vote(1, 1, 7), 3) else {
            panic!()
        };
        let Ok(Accepting::New(state)) = state.accept(&vote(2, 1, 8), 3) else {
            panic!()
        };
        assert_eq!(state.accepted, Some(vote(2, 1, 8)));
        assert_eq!(state.accept(&vote(1, 9, 7), 3), Err(Refusal::ballot(2)));
    }
}
