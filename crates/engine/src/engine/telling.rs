//! What a step tells: the app about what changed, the relays what leaves, and the platform when to wake.

use super::{Engine, WAKE_MS, Wanted};
use crate::asking::Asking;
use crate::community::{Community, News};
use crate::io::{Key, Output, Step, Table};
use crate::line::Line;
use ume_api::{CommunityRef, CommunityView, Connection, Failure, News as Told, Notice, Reply};

impl Engine {
    pub(super) fn take_news(&mut self, number: u32, news: News) {
        if news.goes_on {
            self.be_patient(number);
        }
        self.read_rows(news.reads);
        for (asked, result) in news.replies {
            self.answer(asked, result);
        }
        if self.open == Some(number) && !news.files.is_empty() {
            self.tell(Told::Files {
                community: CommunityRef(number),
                files: news.files,
            });
        }
        if news.grew {
            self.spare_files(super::files::SPARE_BYTES_MAX);
        }
        for notice in news.notices {
            self.tell(Told::Notice(notice));
        }
        if self.open == Some(number) {
            self.posts
                .extend(news.posts.into_iter().map(|post| (post.id, post)));
        }
        if self.open == Some(number) && !news.gone.is_empty() {
            self.tell(Told::Gone {
                community: CommunityRef(number),
                posts: news.gone,
            });
        }
        self.answer_wishes(number, news.wishes);
        for invite in news.published {
            let link = self
                .communities
                .get(&number)
                .and_then(|community| community.link(&invite));
            let waiting = self.waiting.iter().find(|one| {
                matches!(one.what, Wanted::Link { community, invite: wanted, .. } if community == number && wanted == invite)
            });
            if let (Some(link), Some(asker)) = (link, waiting.map(|one| one.number)) {
                let text = link.to_text(&self.home);
                self.answer(asker, Ok(Reply::Link(text)));
            }
        }
        if news.settled_in {
            self.begun(
                number,
                |what| matches!(what, Wanted::Founded { community } if *community == number),
                Ok(()),
            );
        }
        if let Some(failure) = news.unpaid {
            let founded = |what: &Wanted| matches!(what, Wanted::Founded { community } if *community == number);
            if self.waiting.iter().any(|one| founded(&one.what)) {
                self.begun(number, founded, Err(failure));
            } else {
                self.tell(Told::Notice(match failure {
                    Failure::AccessUsedUp => Notice::AccessUsedUp,
                    _ => Notice::AccessRefused,
                }));
            }
        }
        if news.astray {
            self.look_for_way_in(number);
        }
        if let Some(result) = news.joined {
            self.begun(
                number,
                |what| matches!(what, Wanted::Joined { community } if *community == number),
                result,
            );
            self.came_in(number, result);
        }
    }

    /// Whether this profile is in a community now: answers who waited for it; if not, nothing of it stays.
    fn begun(
        &mut self,
        number: u32,
        waited: impl Fn(&Wanted) -> bool,
        result: Result<(), Failure>,
    ) {
        let askers: Vec<u32> = self
            .waiting
            .iter()
            .filter(|one| waited(&one.what))
            .map(|one| one.number)
            .collect();
        for asker in askers {
            self.answer(
                asker,
                result.map(|()| Reply::Community(CommunityRef(number))),
            );
        }
        if result.is_err()
            && let Some(mut community) = self.communities.remove(&number)
        {
            let relay = community.relay().clone();
            self.with_ctx(&relay, |ctx| community.erase(ctx));
        }
    }

    pub(super) fn views(&self) -> Vec<CommunityView> {
        let asking = self.askings.iter();
        let asking = asking.filter(|(number, _)| !self.communities.contains_key(number));
        let mut views: Vec<_> = asking.filter_map(|(_, asking)| asking.view()).collect();
        views.extend(self.communities.values().map(Community::view));
        views.sort_by_key(|view| view.id);
        views
    }

    fn connection(&self) -> Option<Connection> {
        let open = self.open?;
        let asked = || self.askings.get(&open).map(Asking::relay);
        let relay = self.communities.get(&open).map(Community::relay);
        let relay = relay.or_else(asked)?;
        let line = self.lines.get(&relay.address)?;
        // Another relay at the same address is as good as none.
        let (up, failing) = (self.is_there(relay), line.is_failing() || line.is_up());
        Some(match (up, failing) {
            (true, _) => Connection::Online,
            (false, true) => Connection::Offline,
            (false, false) => Connection::Connecting,
        })
    }

    /// Gathers what the input led to.
    pub(super) fn finish(&mut self) -> Step {
        if std::mem::take(&mut self.profile_changed)
            && let Ok(bytes) = postcard::to_allocvec(&self.profile)
        {
            self.batch.0.insert(
                Key {
                    table: Table::Profile,
                    id: b"profile".to_vec(),
                },
                Some(bytes),
            );
        }
        self.watch_deposits();
        self.make_deposits();
        let views = self.views();
        if views != self.told {
            self.tell(Told::Communities(views.clone()));
            self.told = views;
        }
        if let (Some(open), false) = (self.open, self.posts.is_empty()) {
            let posts = std::mem::take(&mut self.posts).into_values().collect();
            self.tell(Told::Posts {
                community: CommunityRef(open),
                posts,
            });
        }
        let connection = self.connection();
        if connection != self.told_connection {
            self.told_connection = connection;
            if let Some(connection) = connection {
                self.tell(Told::Connection(connection));
            }
        }
        self.advance_push();
        self.leave();
        self.tell_traffic();
        let lines = self.lines.values().filter_map(Line::due);
        let communities = self.communities.values().filter_map(Community::due);
        let askings = self.askings.values().filter_map(Asking::due);
        let waiting = self.waiting.iter().map(|one| one.until);
        let others = waiting
            .chain(self.tell_traffic_at())
            .chain(self.deposits_due())
            .chain(self.search_due());
        let due = lines.chain(communities).chain(askings).chain(others);
        if let Some(at) = due.min() {
            self.outputs
                .push(Output::WakeAt(at.max(self.now.plus(WAKE_MS))));
        }
        Step {
            batch: std::mem::take(&mut self.batch),
            outputs: std::mem::take(&mut self.outputs),
        }
    }
}
