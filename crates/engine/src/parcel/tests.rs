use super::*;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;

fn sealed(length: usize) -> (Vec<u8>, proto::Parcel, Vec<Blob>) {
    let mut rng = ChaCha20Rng::from_seed([1; 32]);
    let mut content = vec![0; length];
    rng.fill_bytes(&mut content);
    let (parcel, blobs) = seal(&content, &mut rng).unwrap();
    (content, parcel, blobs)
}

fn parts(blob: &Blob) -> Vec<BlobPart> {
    let cells = u32::try_from(blob.cells.len()).unwrap();
    let id = Bytes::copy_from_slice(&blob.id);
    (0..)
        .zip(&blob.cells)
        .map(|(index, cell)| BlobPart {
            id: id.clone(),
            cells,
            index,
            cell: cell.clone(),
        })
        .collect()
}

fn asked(fetch: &mut Fetch) -> Option<Bytes> {
    match fetch.ask()? {
        Body::BlobGet(get) => Some(get.id),
        _ => None,
    }
}

#[test]
fn a_parcel_of_several_blobs_comes_whole_whatever_gets_lost() {
    let (content, parcel, blobs) = sealed(MESSAGE_BYTES_MAX + 5_000);
    assert_eq!(blobs.len(), 2);
    let mut fetch = Fetch::new(&parcel).unwrap();
    for blob in &blobs {
        assert_eq!(asked(&mut fetch).unwrap()[..], blob.id);
        assert_eq!(asked(&mut fetch), None);
        // Every second one is lost, and every third one changed.
        for (number, part) in parts(blob).iter().enumerate() {
            let mut part = part.clone();
            if number % 3 == 0 {
                part.cell = vec![7; part.cell.len()].into();
            }
            if number % 2 == 0 || number + 1 == blob.cells.len() {
                fetch.take(&part);
            }
        }
        assert_eq!(fetch.result(), Fetched::NotYet);
        assert_eq!(asked(&mut fetch).unwrap()[..], blob.id);
        for part in &parts(blob) {
            fetch.take(part);
        }
    }
    assert_eq!(fetch.result(), Fetched::Whole(&content[..]));
    assert_eq!(asked(&mut fetch), None);
}

#[test]
fn cells_open_in_their_own_place_only() {
    let (_, parcel, blobs) = sealed(2 * MESSAGE_BYTES_MAX);
    let mut fetch = Fetch::new(&parcel).unwrap();
    let id = Bytes::copy_from_slice(&blobs[0].id);
    // The second blob under the first one's name, again and again.
    for _ in 0..ANSWERS_MAX {
        assert_eq!(asked(&mut fetch), Some(id.clone()));
        for part in parts(&blobs[1]) {
            let id = id.clone();
            fetch.take(&BlobPart { id, ..part });
        }
    }
    assert_eq!(fetch.result(), Fetched::Lost);
    assert_eq!(asked(&mut fetch), None);
}

#[test]
fn a_blob_that_is_not_there_is_lost_and_a_busy_relay_is_asked_again() {
    let (content, parcel, blobs) = sealed(9_000);
    let refused = |code: RefusedCode| Refused {
        code: code.into(),
        detail: 0,
    };
    let mut fetch = Fetch::new(&parcel).unwrap();
    asked(&mut fetch).unwrap();
    fetch.refused(&refused(RefusedCode::RefusedLimit));
    asked(&mut fetch).unwrap();
    for part in &parts(&blobs[0]) {
        fetch.take(part);
    }
    assert_eq!(fetch.result(), Fetched::Whole(&content[..]));
    let mut fetch = Fetch::new(&parcel).unwrap();
    asked(&mut fetch).unwrap();
    fetch.refused(&refused(RefusedCode::RefusedDenied));
    assert_eq!(fetch.result(), Fetched::Lost);
}

#[test]
fn what_can_be_no_parcel_is_none() {
    let (_, parcel, _) = sealed(9_000);
    let changed: [fn(&mut proto::Parcel); 5] = [
        |parcel| parcel.key = vec![1; 31],
        |parcel| parcel.hash = vec![],
        |parcel| parcel.length = 0,
        |parcel| parcel.blobs = vec![vec![1; 32]; 2],
        |parcel| {
            parcel.length = ((BLOBS_MAX + 1) * MESSAGE_BYTES_MAX) as u64;
            parcel.blobs = vec![vec![1; 32]; BLOBS_MAX + 1];
        },
    ];
    for change in changed {
        let mut other = parcel.clone();
        change(&mut other);
        assert!(Fetch::new(&other).is_none());
    }
    let mut rng = ChaCha20Rng::from_seed([1; 32]);
    assert!(seal(&vec![0; BLOBS_MAX * MESSAGE_BYTES_MAX + 1], &mut rng).is_none());
    assert!(seal(&[], &mut rng).is_none());
}
