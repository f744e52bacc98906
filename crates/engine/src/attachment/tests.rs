use super::*;
use proptest::prelude::*;
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use std::collections::BTreeSet;
use ume_wire::relay::{BlobPart, Refused, RefusedCode, frame::Body};

fn new_file(bytes: Vec<u8>) -> NewFile {
    NewFile {
        name: "a picture.webp".into(),
        media: "image/webp".into(),
        width: 40,
        height: 30,
        preview: vec![1; 20],
        bytes,
    }
}

fn sealed(bytes: Vec<u8>) -> (Attachment, Vec<Blob>) {
    seal(new_file(bytes), &mut ChaCha20Rng::from_seed([3; 32])).unwrap()
}

fn stored(blobs: &[Blob]) -> Vec<Vec<u8>> {
    blobs.iter().map(|blob| blob.cells.concat()).collect()
}

#[test]
fn lengths_are_few_and_never_much_longer() {
    let lengths: BTreeSet<usize> = (1..=CELLS.1).map(bucket).collect();
    assert_eq!(lengths.len(), 20);
    assert_eq!(lengths.last(), Some(&CELLS.1));
    for cells in 1..=CELLS.1 {
        let padded = bucket(cells);
        assert!(padded >= cells);
        assert!(
            cells < CELLS.0 || 2 * padded <= 3 * cells,
            "{cells}: {padded}"
        );
    }
    assert!(padded(FILE_BYTES_MAX) <= CELLS.1 * FRAGMENT_BYTES);
}

#[test]
fn a_file_of_any_length_comes_out_as_it_went_in() {
    for size in [1_usize, 1720 * 8, 1720 * 8 + 1, 1_300_000] {
        let file: Vec<u8> = (0..size)
            .map(|at| u8::try_from(at % 251).unwrap())
            .collect();
        let (attachment, blobs) = sealed(file.clone());
        let cells: usize = blobs.iter().map(|blob| blob.cells.len()).sum();
        assert_eq!(cells, bucket(size.div_ceil(1720)), "{size}");
        let stored = stored(&blobs);
        let opened = attachment.open(stored.iter().map(Vec::as_slice));
        assert_eq!(opened, Some(file));
        let list = write(std::slice::from_ref(&attachment)).unwrap();
        assert_eq!(read(&list), [Some(attachment)]);
    }
    assert!(seal(new_file(vec![]), &mut ChaCha20Rng::from_seed([3; 32])).is_none());
    let large = vec![0; FILE_BYTES_MAX + 1];
    assert!(seal(new_file(large), &mut ChaCha20Rng::from_seed([3; 32])).is_none());
}

#[test]
fn the_largest_file_is_taken() {
    let (attachment, blobs) = sealed(vec![5; FILE_BYTES_MAX]);
    assert_eq!(blobs.len(), 10);
    assert_eq!(read(&write(&[attachment]).unwrap()).len(), 1);
}

#[test]
fn what_was_changed_is_not_opened() {
    let (attachment, blobs) = sealed(vec![9; 20_000]);
    let whole = stored(&blobs);
    let opens = |pieces: &[Vec<u8>]| attachment.open(pieces.iter().map(Vec::as_slice)).is_some();
    assert!(opens(&whole));
    for at in [0, 30, 1791, 1792 * 3] {
        let mut changed = whole.clone();
        changed[0][at] ^= 1;
        assert!(!opens(&changed), "{at}");
    }
    assert!(!opens(&[whole[0][..whole[0].len() - 1792].to_vec()]));
    assert!(!opens(&[]));
    let (_, others) = seal(
        new_file(vec![9; 20_000]),
        &mut ChaCha20Rng::from_seed([4; 32]),
    )
    .unwrap();
    assert!(!opens(&stored(&others)));
}

#[test]
fn what_follows_a_file_are_zeros() {
    let (attachment, blobs) = sealed(vec![9; 20_000]);
    let mut said = attachment.to_proto();
    said.size = 19_999;
    let shorter = Attachment::read(said).unwrap();
    let stored = stored(&blobs);
    assert_eq!(shorter.open(stored.iter().map(Vec::as_slice)), None);
}

#[test]
fn what_an_author_says_is_made_harmless_or_left_out() {
    let (attachment, _) = sealed(vec![9; 20_000]);
    let said = |change: &dyn Fn(&mut proto::Attachment)| {
        let mut said = attachment.to_proto();
        change(&mut said);
        Attachment::read(said)
    };
    let name = |name: &str| said(&|said| said.name = name.into()).unwrap().name;
    assert_eq!(name("../../etc/passwd"), "passwd");
    assert_eq!(name("C:\\x\\report.pdf"), "report.pdf");
    assert_eq!(name(""), "file");
    assert_eq!(name(" .hidden "), "hidden");
    assert_eq!(name("photo\u{202e}gpj.exe"), "photogpj.exe");
    assert_eq!(name("a\nb<c>.txt"), "a_b_c_.txt");
    let long = name(&format!("{}.jpeg", "ü".repeat(200)));
    assert!(long.len() <= FILE_NAME_BYTES_MAX && &long[long.len() - 5..] == ".jpeg");
    let media = |media: &str| said(&|said| said.media = media.into()).unwrap().media;
    assert_eq!(media("Text/HTML"), "text/html");
    for wrong in [
        "",
        "text",
        "text/html; charset=x",
        "a/b/c",
        "text/\u{e9}",
        &"x/".repeat(40),
    ] {
        assert_eq!(media(wrong), MEDIA, "{wrong}");
    }
    let sides = |width, height| {
        let change = |said: &mut proto::Attachment| (said.width, said.height) = (width, height);
        said(&change).unwrap().sides
    };
    assert_eq!(sides(3, 4), (3, 4));
    assert_eq!(sides(0, 4), (0, 0));
    assert_eq!(sides(3, SIDE_MAX + 1), (0, 0));
    let preview = |bytes| said(&|said| said.preview = vec![1; bytes]).unwrap().preview;
    assert_eq!(preview(PREVIEW_BYTES_MAX).len(), PREVIEW_BYTES_MAX);
    assert!(preview(PREVIEW_BYTES_MAX + 1).is_empty());
    let words = "é".repeat(ALTERNATIVE_BYTES_MAX);
    let told = said(&|said| said.alternative = words.clone()).unwrap();
    assert_eq!(told.alternative.len(), ALTERNATIVE_BYTES_MAX);

    assert_eq!(said(&|said| said.parcel = None), None);
    assert_eq!(said(&|said| said.size = 0), None);
    assert_eq!(said(&|said| said.size = u64::MAX), None);
    assert_eq!(said(&|said| said.size = FILE_BYTES_MAX as u64 + 1), None);
    let parcel = |change: &dyn Fn(&mut proto::Parcel)| {
        said(&|said| change(said.parcel.get_or_insert_default()))
    };
    assert_eq!(parcel(&|parcel| parcel.key.truncate(31)), None);
    assert_eq!(parcel(&|parcel| parcel.blobs.clear()), None);
    assert_eq!(parcel(&|parcel| parcel.length = 1), None);
    assert_eq!(parcel(&|parcel| parcel.length = u64::MAX), None);
    // Who opens it otherwise, or looks for it elsewhere, has another file.
    let other = parcel(&|parcel| parcel.key[0] ^= 1).unwrap();
    assert_ne!(other.id, attachment.id);
}

#[test]
fn one_that_makes_no_sense_does_not_hide_the_others() {
    let (attachment, _) = sealed(vec![9; 20_000]);
    let list = proto::Attachments {
        files: vec![attachment.to_proto(), proto::Attachment::default()],
    };
    assert_eq!(
        read(&list.encode_to_vec()),
        [Some(attachment.clone()), None]
    );
    let many = proto::Attachments {
        files: vec![attachment.to_proto(); 500],
    };
    assert_eq!(read(&many.encode_to_vec()).len(), FILES_MAX);
    assert_eq!(read(&[0xff; 9]), [None]);
    assert_eq!(write(&vec![attachment.clone(); FILES_MAX + 1]), None);
    let mut wordy = attachment;
    wordy.describe(&"w".repeat(5_000));
    // As much as can be said of as many as there can be.
    assert!(write(&vec![wordy; FILES_MAX]).is_some());
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

#[test]
fn a_blob_is_gathered_whatever_gets_lost_or_spoiled() {
    let (attachment, blobs) = sealed(vec![9; 1_200_000]);
    assert_eq!(blobs.len(), 2);
    for (number, blob) in (0..).zip(&blobs) {
        let mut gather = attachment.gather(number).unwrap();
        assert!(matches!(gather.ask(), Some(Body::BlobGet(get)) if get.id[..] == blob.id));
        assert_eq!(gather.ask(), None);
        let parts = parts(blob);
        for (at, part) in parts.iter().enumerate() {
            let mut part = part.clone();
            if at % 5 == 0 {
                part.cell = vec![7; part.cell.len()].into();
            }
            if at % 3 == 0 || at + 1 == parts.len() {
                gather.take(&part);
            }
        }
        assert_eq!(gather.result(), Gathered::NotYet);
        assert!(gather.ask().is_some());
        for part in &parts {
            gather.take(part);
        }
        assert_eq!(gather.result(), Gathered::Whole(blob.cells.concat()));
    }
    assert!(attachment.gather(2).is_none());
}

#[test]
fn a_blob_that_is_not_there_or_another_one_is_given_up() {
    let (attachment, blobs) = sealed(vec![9; 20_000]);
    let mut gather = attachment.gather(0).unwrap();
    let refused = |code: RefusedCode| Refused {
        code: code.into(),
        detail: 0,
    };
    assert!(gather.ask().is_some());
    gather.refused(&refused(RefusedCode::RefusedLimit));
    assert_eq!(gather.result(), Gathered::NotYet);
    assert!(gather.ask().is_some());
    gather.refused(&refused(RefusedCode::RefusedDenied));
    assert_eq!(gather.result(), Gathered::Absent);
    assert_eq!(gather.ask(), None);

    let mut gather = attachment.gather(0).unwrap();
    for _ in 0..8 {
        assert_eq!(gather.result(), Gathered::NotYet);
        assert!(gather.ask().is_some());
        for mut part in parts(&blobs[0]) {
            part.cell = vec![7; part.cell.len()].into();
            gather.take(&part);
        }
    }
    assert_eq!(gather.result(), Gathered::Broken);
}

proptest! {
    #[test]
    fn any_list_is_read(list in proptest::collection::vec(any::<u8>(), 0..400)) {
        for attachment in read(&list).into_iter().flatten() {
            // What is believed can be written again, and is read as the same.
            let again = Attachment::read(attachment.to_proto());
            prop_assert_eq!(again, Some(attachment));
        }
    }

    #[test]
    fn any_words_are_believed_as_they_are_shown(name in "\\PC{0,200}", media in "\\PC{0,80}", words in "\\PC{0,90}") {
        let (attachment, _) = sealed(vec![1]);
        let mut said = attachment.to_proto();
        (said.name, said.media, said.alternative) = (name, media, words);
        let read = Attachment::read(said).unwrap();
        prop_assert!(read.name.len() <= FILE_NAME_BYTES_MAX && !read.name.is_empty());
        prop_assert!(!read.name.contains(['/', '\\']) && read.name.trim() == read.name);
        prop_assert_eq!(Attachment::read(read.to_proto()), Some(read));
    }
}
