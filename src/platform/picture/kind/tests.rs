use super::of;

fn jpeg(width: u16, height: u16) -> Vec<u8> {
    let mut file = vec![0xff, 0xd8, 0xff, 0xe0, 0, 4, 1, 2];
    file.extend([0xff, 0xc0, 0, 17, 8]);
    file.extend(height.to_be_bytes());
    file.extend(width.to_be_bytes());
    file
}

fn webp(chunk: &[u8], content: &[u8]) -> Vec<u8> {
    let mut file = b"RIFF\0\0\0\0WEBP".to_vec();
    file.extend(chunk);
    file.extend([0; 4]);
    file.extend(content);
    file
}

fn lossy(width: u16, height: u16) -> Vec<u8> {
    let mut content = vec![0, 0, 0, 0x9d, 0x01, 0x2a];
    content.extend(width.to_le_bytes());
    content.extend(height.to_le_bytes());
    webp(b"VP8 ", &content)
}

fn extended(flags: u8, width: u32, height: u32) -> Vec<u8> {
    let mut content = vec![flags, 0, 0, 0];
    content.extend(&(width - 1).to_le_bytes()[..3]);
    content.extend(&(height - 1).to_le_bytes()[..3]);
    webp(b"VP8X", &content)
}

#[test]
fn small_still_pictures_are_drawn_as_what_they_are() {
    assert_eq!(of(&jpeg(192, 512)), Some("image/jpeg"));
    assert_eq!(of(&lossy(192, 192)), Some("image/webp"));
    assert_eq!(of(&extended(0x10, 96, 96)), Some("image/webp"));
    let lossless = webp(b"VP8L", &[0x2f, 191, 0xc0, 47, 0]);
    assert_eq!(of(&lossless), Some("image/webp"));
}

#[test]
fn what_is_huge_moves_or_is_no_picture_is_not_drawn() {
    for file in [
        jpeg(513, 10),
        jpeg(10, 0),
        lossy(16_383, 16_383),
        extended(0, 1 << 24, 5),
        extended(2, 96, 96),
        b"<svg xmlns='http://www.w3.org/2000/svg'/>".to_vec(),
        b"\x89PNG\r\n\x1a\n".to_vec(),
        b"<!doctype html><script>".to_vec(),
        vec![],
    ] {
        assert_eq!(of(&file), None, "{file:?}");
    }
}

#[test]
fn files_that_end_early_are_not_drawn() {
    for whole in [jpeg(100, 100), lossy(100, 100), extended(0, 100, 100)] {
        for length in 0..whole.len() {
            assert_eq!(of(&whole[..length]), None, "{length} of {whole:?}");
        }
    }
}
