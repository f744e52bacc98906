use super::{Ghost, is_body_of, merge_into};
use ume_api::{Comments, EntryId, Person, PersonId, PostState, PostView};

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
