use super::State;
use crate::platform::focus;
use leptos::prelude::*;
use ume_api::{
    Act, Command, CommunityRef, CommunityView, Failure, FormerView, InviteView, MemberView,
    PersonId, Phase, Reply, RequestView, Right, Role,
};
use wasm_bindgen_futures::spawn_local;

/// Who is in the open community, by which links people come, and what is being changed.
#[derive(Clone, Copy)]
pub(crate) struct People {
    /// Everybody; `None` until asked for and answered.
    pub(crate) members: RwSignal<Option<Vec<MemberView>>>,
    /// Those who are no longer in, or not yet.
    pub(crate) outside: RwSignal<Outside>,
    /// All links; `None` until asked for and answered.
    pub(crate) invites: RwSignal<Option<Vec<InviteView>>>,
    /// Whether somebody's sheet is open.
    pub(crate) sheet: RwSignal<bool>,
    /// Whose.
    pub(crate) shown: RwSignal<Option<PersonId>>,
    /// Whether the sheet of one's own profile is open.
    pub(crate) profile: RwSignal<bool>,
    /// Whether a change is on its way to the ledger.
    pub(crate) busy: RwSignal<bool>,
    /// Why the last change did not happen.
    pub(crate) failure: RwSignal<Option<Failure>>,
    /// What has just been changed, for people who do not see it.
    pub(crate) said: RwSignal<String>,
}

/// People who are not in the community.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outside {
    /// Those who were.
    pub(crate) former: Vec<FormerView>,
    /// Those who ask to come in and whom this person may answer.
    pub(crate) requests: Vec<RequestView>,
}

impl People {
    pub(super) fn new() -> Self {
        Self {
            members: RwSignal::new(None),
            outside: RwSignal::new(Outside::default()),
            invites: RwSignal::new(None),
            sheet: RwSignal::new(false),
            shown: RwSignal::new(None),
            profile: RwSignal::new(false),
            busy: RwSignal::new(false),
            failure: RwSignal::new(None),
            said: RwSignal::new(String::new()),
        }
    }

    /// Another community is open.
    pub(super) fn clear(self) {
        self.members.set(None);
        self.outside.set(Outside::default());
        self.invites.set(None);
        self.sheet.set(false);
        self.shown.set(None);
        self.profile.set(false);
        self.said.set(String::new());
        self.busy.set(false);
        self.failure.set(None);
    }

    /// Opens somebody's sheet.
    pub(crate) fn show(self, person: PersonId) {
        self.failure.set(None);
        self.shown.set(Some(person));
        self.sheet.set(true);
    }
}

impl State {
    /// Asks who is in and which links there are.
    pub(crate) fn look_at_people(self) {
        if let Some(community) = self.open.get_untracked() {
            spawn_local(self.read_people(community));
        }
    }

    async fn read_people(self, community: CommunityRef) {
        let members = self.engine.ask(Command::Members { community }).await;
        let former = self.engine.ask(Command::Former { community }).await;
        let invites = self.engine.ask(Command::Invites { community }).await;
        let requests = self.engine.ask(Command::Requests { community }).await;
        if self.open.get_untracked() != Some(community) {
            return;
        }
        let people = self.people;
        let requests = match requests {
            Ok(Reply::Requests(requests)) => requests,
            _ => vec![],
        };
        match (members, former, invites) {
            (
                Ok(Reply::Members(members)),
                Ok(Reply::Former(former)),
                Ok(Reply::Invites(invites)),
            ) => {
                people.members.set(Some(members));
                people.outside.set(Outside { former, requests });
                people.invites.set(Some(invites));
            }
            (Err(failure), ..) | (_, Err(failure), _) | (.., Err(failure)) => {
                people.failure.set(Some(failure));
            }
            _ => people.failure.set(Some(Failure::Internal)),
        }
    }

    /// Changes how the open community is run. `done` is called with everything as it is then.
    pub(crate) fn govern(self, act: Act, done: impl FnOnce() + 'static) {
        if let Some(community) = self.open.get_untracked() {
            self.change(community, Command::Govern { community, act }, done);
        }
    }

    /// Erases the open community, which this profile is out of or was not let into, from this device.
    pub(crate) fn forget(self) {
        self.part_with(|community| Command::Forget { community });
    }

    /// Takes the asking at the open community back.
    pub(crate) fn take_back(self) {
        self.part_with(|community| Command::TakeBack { community });
    }

    /// Does something after which the open community is no longer here.
    fn part_with(self, command: impl FnOnce(CommunityRef) -> Command) {
        let Some(community) = self.open.get_untracked() else {
            return;
        };
        self.change(community, command(community), move || {
            // The news of it may have led to another one already.
            if self.open.get_untracked() == Some(community) {
                self.open.set(None);
            }
            focus::heading();
        });
    }

    /// Says in the open community, which this profile is out of, that its recovery was a mistake.
    pub(crate) fn contest(self, done: impl FnOnce() + 'static) {
        if let Some(community) = self.open.get_untracked() {
            self.change(community, Command::Contest { community }, done);
        }
    }

    /// Begins the open community's group anew, and takes somebody out by that if they are named.
    pub(crate) fn begin_anew(self, without: Option<PersonId>, done: impl FnOnce() + 'static) {
        if let Some(community) = self.open.get_untracked() {
            self.change(community, Command::BeginAnew { community, without }, done);
        }
    }

    /// Changes something, and says in [`People`] how that goes. `done` is called once everything is known as it is then.
    pub(crate) fn change(
        self,
        community: CommunityRef,
        command: Command,
        done: impl FnOnce() + 'static,
    ) {
        self.change_boxed(community, command, Box::new(done));
    }

    fn change_boxed(self, community: CommunityRef, command: Command, done: Box<dyn FnOnce()>) {
        let people = self.people;
        if people.busy.get_untracked() {
            return;
        }
        people.failure.set(None);
        people.busy.set(true);
        spawn_local(async move {
            let gone = matches!(command, Command::Forget { .. } | Command::TakeBack { .. });
            let answer = self.engine.ask(command).await;
            if answer.is_ok() && !gone {
                // Whatever closes now gives the focus back to something that stays.
                self.read_people(community).await;
            }
            // Whoever is elsewhere by now is not called back.
            if self.open.get_untracked() != Some(community) && !gone {
                return;
            }
            people.busy.set(false);
            match answer {
                Ok(_) => done(),
                Err(failure) => people.failure.set(Some(failure)),
            }
        });
    }
}

/// Whether this profile can write in a community, and if not, why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Voice {
    /// It can.
    Speaks,
    /// It is a reader.
    Reads,
    /// The rules let only this role write, and those above it.
    Only(Role),
    /// It is out.
    Ended,
    /// It is not in: it has asked.
    Asks,
}

/// Whether this profile can write in a community.
pub(crate) fn voice(community: &CommunityView) -> Voice {
    match community.phase {
        Phase::Ended(_) => Voice::Ended,
        Phase::Asking | Phase::Refused(_) => Voice::Asks,
        // Nobody is anything before they are in.
        Phase::Starting => Voice::Speaks,
        _ if community.rules.allow(community.role, Right::Post) => Voice::Speaks,
        _ if community.role == Role::Reader => Voice::Reads,
        _ => Voice::Only(community.rules.post),
    }
}
