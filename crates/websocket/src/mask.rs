//! Masking (RFC 6455 section 5.3).

/// Appends masked bytes to `to`, unmasked, and turns the mask to where the next bytes begin.
pub(crate) fn append(to: &mut Vec<u8>, masked: &[u8], mask: &mut [u8; 4]) {
    let start = to.len();
    to.extend_from_slice(masked);
    apply(&mut to[start..], *mask);
    mask.rotate_left(masked.len() % 4);
}

/// Eight bytes at a time; the compiler makes wider steps of it where the processor has them.
fn apply(bytes: &mut [u8], mask: [u8; 4]) {
    let [a, b, c, d] = mask;
    let wide = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let mut chunks = bytes.chunks_exact_mut(8);
    for chunk in &mut chunks {
        if let Ok(eight) = <[u8; 8]>::try_from(&*chunk) {
            chunk.copy_from_slice(&(u64::from_ne_bytes(eight) ^ wide).to_ne_bytes());
        }
    }
    for (byte, mask) in chunks.into_remainder().iter_mut().zip(mask.iter().cycle()) {
        *byte ^= mask;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_come_out_like_the_whole() {
        let clear: Vec<u8> = (0..61).collect();
        let mask = [0xa1, 0x07, 0xff, 0x30];
        let masked: Vec<u8> = (clear.iter().zip(mask.iter().cycle()))
            .map(|(byte, mask)| byte ^ mask)
            .collect();
        for first in 0..clear.len() {
            let (mut out, mut mask) = (Vec::new(), mask);
            append(&mut out, &masked[..first], &mut mask);
            append(&mut out, &masked[first..], &mut mask);
            assert_eq!(out, clear);
        }
    }
}
