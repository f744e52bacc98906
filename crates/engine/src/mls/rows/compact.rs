//! The compact form of OpenMLS' values: postcard's wire format, read by types.
//!
//! Written by `postcard`; read here because OpenMLS' bytes (`VLBytes`) are read by asking what comes, which postcard's own
//! reader refuses. In everything that is stored in this form only bytes are read like that, so that is what comes. A form
//! that describes itself would do as well, and makes the engine a tenth larger.
//!
//! The format: <https://postcard.jamesmunns.com/wire-format>.

use serde::de::value::U32Deserializer;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Error, IntoDeserializer,
    MapAccess, SeqAccess, VariantAccess, Visitor,
};
use std::fmt;

/// Bytes of the longest number: 64 bits, 7 in each.
const NUMBER_BYTES_MAX: u32 = 10;

/// The bytes are not those of a value of this type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a value of this type")]
pub(super) struct Unreadable;

impl Error for Unreadable {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

/// Reads a value that takes up all of the bytes.
pub(super) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Unreadable> {
    let mut reader = Reader(bytes);
    let value = T::deserialize(&mut reader)?;
    reader.0.is_empty().then_some(value).ok_or(Unreadable)
}

/// What is left to be read.
struct Reader<'de>(&'de [u8]);

impl<'de> Reader<'de> {
    fn byte(&mut self) -> Result<u8, Unreadable> {
        let (byte, rest) = self.0.split_first().ok_or(Unreadable)?;
        self.0 = rest;
        Ok(*byte)
    }

    fn number(&mut self) -> Result<u64, Unreadable> {
        let mut number = 0;
        for place in 0..NUMBER_BYTES_MAX {
            let byte = self.byte()?;
            let part = u64::from(byte & 0x7f);
            let shift = 7 * place;
            if part << shift >> shift != part {
                return Err(Unreadable);
            }
            number |= part << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(Unreadable)
    }

    /// Numbers below zero are those between the others: 0, -1, 1, -2 ...
    fn signed(&mut self) -> Result<i64, Unreadable> {
        let number = self.number()?;
        let half = (number >> 1).cast_signed();
        Ok(if number & 1 == 0 { half } else { !half })
    }

    fn length(&mut self) -> Result<usize, Unreadable> {
        usize::try_from(self.number()?).map_err(|_| Unreadable)
    }

    fn bytes(&mut self) -> Result<&'de [u8], Unreadable> {
        let length = self.length()?;
        let (bytes, rest) = self.0.split_at_checked(length).ok_or(Unreadable)?;
        self.0 = rest;
        Ok(bytes)
    }

    fn text(&mut self) -> Result<&'de str, Unreadable> {
        std::str::from_utf8(self.bytes()?).map_err(|_| Unreadable)
    }

    fn few(&mut self, left: usize) -> Few<'_, 'de> {
        Few { reader: self, left }
    }
}

/// Values of a type that are read as another one's number.
macro_rules! numbers {
    ($($method:ident: $take:ident, $visit:ident;)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
            visitor.$visit(self.$take()?)
        }
    )*};
}

/// What nothing that is stored in this form holds.
macro_rules! strangers {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Unreadable> {
            Err(Unreadable)
        }
    )*};
}

impl<'de> Deserializer<'de> for &mut Reader<'de> {
    type Error = Unreadable;

    fn is_human_readable(&self) -> bool {
        false
    }

    numbers! {
        deserialize_any: bytes, visit_bytes;
        deserialize_bytes: bytes, visit_bytes;
        deserialize_byte_buf: bytes, visit_bytes;
        deserialize_str: text, visit_str;
        deserialize_string: text, visit_str;
        deserialize_u8: byte, visit_u8;
        deserialize_u16: number, visit_u64;
        deserialize_u32: number, visit_u64;
        deserialize_u64: number, visit_u64;
        deserialize_i16: signed, visit_i64;
        deserialize_i32: signed, visit_i64;
        deserialize_i64: signed, visit_i64;
    }

    strangers! {
        deserialize_i8 deserialize_i128 deserialize_u128 deserialize_f32 deserialize_f64 deserialize_char
        deserialize_identifier deserialize_ignored_any
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        match self.byte()? {
            0 => visitor.visit_bool(false),
            1 => visitor.visit_bool(true),
            _ => Err(Unreadable),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        match self.byte()? {
            0 => visitor.visit_none(),
            1 => visitor.visit_some(self),
            _ => Err(Unreadable),
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Unreadable> {
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Unreadable> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        let length = self.length()?;
        visitor.visit_seq(self.few(length))
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Unreadable> {
        visitor.visit_seq(self.few(length))
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Unreadable> {
        visitor.visit_seq(self.few(length))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unreadable> {
        let length = self.length()?;
        visitor.visit_map(self.few(length))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unreadable> {
        visitor.visit_seq(self.few(fields.len()))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unreadable> {
        visitor.visit_enum(self)
    }
}

/// So many values that follow each other.
struct Few<'a, 'de> {
    reader: &'a mut Reader<'de>,
    left: usize,
}

impl<'de> SeqAccess<'de> for Few<'_, 'de> {
    type Error = Unreadable;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Unreadable> {
        let Some(left) = self.left.checked_sub(1) else {
            return Ok(None);
        };
        self.left = left;
        seed.deserialize(&mut *self.reader).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        // Nothing reserves room for more values than there are bytes.
        Some(self.left.min(self.reader.0.len()))
    }
}

impl<'de> MapAccess<'de> for Few<'_, 'de> {
    type Error = Unreadable;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Unreadable> {
        self.next_element_seed(seed)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(
        &mut self,
        seed: V,
    ) -> Result<V::Value, Unreadable> {
        seed.deserialize(&mut *self.reader)
    }

    fn size_hint(&self) -> Option<usize> {
        SeqAccess::size_hint(self)
    }
}

impl<'de> EnumAccess<'de> for &mut Reader<'de> {
    type Error = Unreadable;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(
        self,
        seed: V,
    ) -> Result<(V::Value, Self), Unreadable> {
        let variant = u32::try_from(self.number()?).map_err(|_| Unreadable)?;
        let variant: U32Deserializer<Unreadable> = variant.into_deserializer();
        Ok((seed.deserialize(variant)?, self))
    }
}

impl<'de> VariantAccess<'de> for &mut Reader<'de> {
    type Error = Unreadable;

    fn unit_variant(self) -> Result<(), Unreadable> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(
        self,
        seed: T,
    ) -> Result<T::Value, Unreadable> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(
        self,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, Unreadable> {
        visitor.visit_seq(self.few(length))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unreadable> {
        visitor.visit_seq(self.few(fields.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde::{Deserialize, Serialize};
    use std::collections::BTreeMap;

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    enum Kind {
        Nothing,
        One(u16),
        Two(i64, Option<String>),
        Named { bytes: Vec<u8>, on: bool },
    }

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Thing {
        unit: (),
        pair: (u8, [u8; 3]),
        number: u64,
        signed: i32,
        kinds: Vec<Kind>,
        map: BTreeMap<u32, Kind>,
    }

    fn kind() -> impl Strategy<Value = Kind> {
        prop_oneof![
            Just(Kind::Nothing),
            any::<u16>().prop_map(Kind::One),
            (any::<i64>(), any::<Option<String>>()).prop_map(|(n, text)| Kind::Two(n, text)),
            (any::<Vec<u8>>(), any::<bool>()).prop_map(|(bytes, on)| Kind::Named { bytes, on }),
        ]
    }

    prop_compose! {
        fn thing()(
            pair in any::<(u8, [u8; 3])>(),
            number in any::<u64>(),
            signed in any::<i32>(),
            kinds in prop::collection::vec(kind(), 0..4),
            map in prop::collection::btree_map(any::<u32>(), kind(), 0..4),
        ) -> Thing {
            Thing { unit: (), pair, number, signed, kinds, map }
        }
    }

    proptest! {
        #[test]
        fn what_postcard_writes_is_read(thing in thing()) {
            let bytes = postcard::to_allocvec(&thing).unwrap();
            prop_assert_eq!(read::<Thing>(&bytes), Ok(thing));
        }

        #[test]
        fn it_reads_what_postcard_reads(thing in thing(), at in any::<prop::sample::Index>(), byte: u8) {
            let mut bytes = postcard::to_allocvec(&thing).unwrap();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            let theirs = postcard::take_from_bytes::<Thing>(&bytes).ok();
            let theirs = theirs.filter(|(_, rest)| rest.is_empty()).map(|(thing, _)| thing);
            prop_assert_eq!(read::<Thing>(&bytes).ok(), theirs);
        }

        #[test]
        fn anything_is_read_or_refused(bytes: Vec<u8>) {
            let _ = read::<Thing>(&bytes);
        }
    }

    #[test]
    fn what_is_too_long_is_refused() {
        let mut bytes = postcard::to_allocvec(&7_u16).unwrap();
        assert_eq!(read::<u16>(&bytes), Ok(7));
        bytes.push(0);
        assert_eq!(read::<u16>(&bytes), Err(Unreadable));
        assert_eq!(read::<Vec<u64>>(&[0xff; 9]), Err(Unreadable));
    }
}
