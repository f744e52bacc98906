use super::{Feed, Ghost, is_body_of, merge_into};
use leptos::prelude::*;
use ume_api::{Comments, CommunityRef, EntryId, FeedPage, Person, PersonId, PostState, PostView};

fn post(id: u8, at: u64, state: PostState) -> PostView {
    let author = Person {
        id: PersonId([1; 32]),
        name: "Ada".to_owned(),
        mark: [1; 8],
        picture: None,
        me: state != PostState::Received,
    };
    PostView {
        id: EntryId([id; 32]),
        owner: author.clone(),
        author,
        at,
        text: format!("post {id}"),
        nodes: vec![],
        expires_at: None,
        edited_at: None,
        unpublished_by: None,
        hidden: None,
        state,
        thread: None,
        comments: Comments::default(),
        files: Vec::new(),
        reactions: vec![],
    }
}

#[test]
fn posts_are_ordered_by_time_then_id_whatever_the_order_of_arrival() {
    let mut posts = Vec::new();
    merge_into(
        &mut posts,
        vec![
            post(2, 20, PostState::Received),
            post(9, 10, PostState::Received),
        ],
    );
    merge_into(
        &mut posts,
        vec![
            post(1, 20, PostState::Received),
            post(3, 5, PostState::Received),
        ],
    );
    let order: Vec<u8> = posts.iter().map(|post| post.id.0[0]).collect();
    assert_eq!(order, [3, 9, 1, 2]);
}

#[test]
fn a_post_that_arrives_again_is_replaced_not_doubled() {
    let mut posts = Vec::new();
    merge_into(
        &mut posts,
        vec![
            post(1, 10, PostState::Waiting),
            post(2, 20, PostState::Received),
        ],
    );
    merge_into(&mut posts, vec![post(1, 10, PostState::Sent)]);
    let posts: Vec<&PostView> = posts.iter().map(AsRef::as_ref).collect();
    assert_eq!(
        posts,
        [
            &post(1, 10, PostState::Sent),
            &post(2, 20, PostState::Received)
        ]
    );
}

#[test]
fn a_ghost_goes_when_its_post_is_here_in_either_order_of_events() {
    let mut ghost = Ghost {
        number: 1,
        text: "post 1".to_owned(),
        id: None,
    };
    assert!(is_body_of(&post(1, 10, PostState::Waiting), &ghost));
    assert!(!is_body_of(&post(1, 10, PostState::Received), &ghost));
    ghost.id = Some(EntryId([1; 32]));
    assert!(is_body_of(&post(1, 10, PostState::Sent), &ghost));
    assert!(!is_body_of(&post(2, 10, PostState::Waiting), &ghost));
}

fn place(id: u8, at: u64) -> (u64, EntryId) {
    (at, EntryId([id; 32]))
}

#[test]
fn what_is_new_begins_where_one_had_stopped_and_stays_there_while_one_reads() {
    let owner = Owner::new();
    owner.set();
    let feed = Feed::new();
    feed.begin(FeedPage {
        community: CommunityRef(1),
        posts: vec![
            post(1, 10, PostState::Received),
            post(2, 20, PostState::Sent),
            post(3, 30, PostState::Received),
            post(4, 40, PostState::Received),
        ],
        older: false,
        read: place(1, 10),
    });
    feed.end_seeking();
    assert_eq!(feed.now().news, Some(place(3, 30)), "not one's own");
    assert_eq!(feed.now().aim, Some(place(3, 30)));
    assert_eq!(untrack(move || feed.fresh()), 2);
    feed.mark(|marks| marks.seen = place(3, 30));
    let mut hidden = post(6, 60, PostState::Received);
    hidden.hidden = Some(ume_api::Hidden::Post(hidden.id));
    feed.merge(vec![post(5, 50, PostState::Received), hidden]);
    assert_eq!(untrack(move || feed.fresh()), 2);
    assert_eq!(feed.arrived.get_untracked(), 1);
    assert_eq!(feed.now().news, Some(place(3, 30)));
    // Whoever was away meanwhile comes to what came meanwhile; who only looks again, to nothing.
    feed.see_all();
    feed.come_back();
    assert_eq!(feed.now().news, Some(place(3, 30)));
    feed.merge(vec![post(7, 70, PostState::Received)]);
    feed.come_back();
    assert_eq!(feed.now().news, Some(place(7, 70)));
}

#[test]
fn pages_are_fetched_until_what_is_not_read_is_here() {
    let owner = Owner::new();
    owner.set();
    let feed = Feed::new();
    let page = |posts, older| FeedPage {
        community: CommunityRef(1),
        posts,
        older,
        read: place(2, 20),
    };
    feed.begin(page(vec![post(4, 40, PostState::Received)], true));
    assert!(feed.lacks_unread());
    assert_eq!(feed.begin_older(), Some(EntryId([4; 32])));
    feed.add_page(page(vec![post(3, 30, PostState::Received)], true));
    assert!(feed.lacks_unread());
    feed.add_page(page(vec![post(2, 20, PostState::Received)], true));
    assert!(!feed.lacks_unread());
    feed.end_seeking();
    assert_eq!(feed.now().news, Some(place(3, 30)));
}
