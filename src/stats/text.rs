//! Owns texts that keep numbers: numbers of single precision, one after the other, as base64. A text that holds
//! fewer than are asked for is none.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// Writes numbers.
#[derive(Debug, Default)]
pub(in crate::stats) struct Writer(Vec<u8>);

impl Writer {
    /// One more; it is kept with single precision.
    #[allow(clippy::cast_possible_truncation)]
    pub fn number(&mut self, value: f64) {
        self.0.extend_from_slice(&(value as f32).to_le_bytes());
    }

    /// Several more.
    pub fn numbers(&mut self, values: &[f64]) {
        for value in values {
            self.number(*value);
        }
    }

    /// A time in whole seconds, which single precision could not hold.
    pub fn time(&mut self, seconds: i64) {
        self.0.extend_from_slice(&seconds.to_le_bytes());
    }

    /// The text.
    pub fn text(&self) -> String {
        STANDARD_NO_PAD.encode(&self.0)
    }
}

/// Reads what a [`Writer`] wrote.
#[derive(Debug)]
pub(in crate::stats) struct Reader {
    bytes: Vec<u8>,
    at: usize,
}

impl Reader {
    /// Of `text`; `None` where it is no such text.
    pub fn of(text: &str) -> Option<Self> {
        Some(Self { bytes: STANDARD_NO_PAD.decode(text).ok()?, at: 0 })
    }

    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let bytes = self.bytes.get(self.at..self.at + N)?;
        self.at += N;
        bytes.try_into().ok()
    }

    /// The next number, if it is one that can be reckoned with.
    pub fn number(&mut self) -> Option<f64> {
        let value = f64::from(f32::from_le_bytes(self.take()?));
        value.is_finite().then_some(value)
    }

    /// The next numbers.
    pub fn numbers<const N: usize>(&mut self) -> Option<[f64; N]> {
        let mut values = [0.0; N];
        for value in &mut values {
            *value = self.number()?;
        }
        Some(values)
    }

    /// The next time.
    pub fn time(&mut self) -> Option<i64> {
        self.take().map(i64::from_le_bytes)
    }

    /// Whether everything was read.
    pub fn is_empty(&self) -> bool {
        self.at == self.bytes.len()
    }
}
