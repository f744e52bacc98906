//! Random names: two words, so that nobody has to think of one and nobody is recognised by one.

use rand_core::RngCore;

const FIRST: [&str; 32] = [
    "Amber", "Ash", "Azure", "Bright", "Calm", "Cedar", "Clear", "Coral", "Dawn", "Early", "Fern",
    "Gentle", "Golden", "Hazel", "Ivory", "Jade", "Kind", "Lilac", "Lucky", "Mellow", "Misty",
    "Olive", "Pale", "Quiet", "Rosy", "Ruby", "Silver", "Snowy", "Spring", "Sunny", "Velvet",
    "Winter",
];
const SECOND: [&str; 32] = [
    "Badger", "Beetle", "Bluebell", "Brook", "Comet", "Crane", "Finch", "Firefly", "Fox", "Hare",
    "Heron", "Kestrel", "Lark", "Linnet", "Lynx", "Magpie", "Maple", "Marten", "Moth", "Newt",
    "Orchid", "Otter", "Owl", "Pebble", "Pine", "Plover", "Robin", "Sparrow", "Swift", "Thistle",
    "Willow", "Wren",
];

pub(crate) fn random(rng: &mut impl RngCore) -> String {
    let (first, second) = (rng.next_u32() as usize, rng.next_u32() as usize);
    format!(
        "{} {}",
        FIRST[first % FIRST.len()],
        SECOND[second % SECOND.len()]
    )
}
