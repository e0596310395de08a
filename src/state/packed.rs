//! Owns the compact form of records: many of one pipeline as one compressed text, since each looks much like the
//! one before.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;

/// More than any row of records can become: a row that claims more is damaged.
const LARGEST: u64 = 256 * 1024 * 1024;

/// Compresses `text`.
pub(super) fn pack(text: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = DeflateEncoder::new(Vec::with_capacity(text.len() / 8), Compression::new(6));
    encoder.write_all(text)?;
    encoder.finish()
}

/// The text that [`pack`] compressed.
pub(super) fn unpack(body: &[u8]) -> std::io::Result<String> {
    let mut text = String::with_capacity(body.len() * 8);
    DeflateDecoder::new(body).take(LARGEST).read_to_string(&mut text)?;
    Ok(text)
}
