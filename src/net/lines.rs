//! Owns replies that are read line by line while they come. A line is cut at a limit, so an endless
//! one costs no memory; what the lines say is judged elsewhere.

use async_trait::async_trait;
use bytes::{Buf, Bytes};
use reqwest::Response;

use super::errors::classify;
use crate::world::{HttpError, LineStream};

/// The longest line that is kept: Heroku cuts log lines at 10 kB.
const LINE_LIMIT: usize = 16 * 1024;

/// The lines of one reply.
pub struct Lines {
    response: Response,
    /// Host and port, for messages.
    host: String,
    cutter: Cutter,
    ended: bool,
}

impl Lines {
    /// The lines of `response`, which came from `host`.
    pub fn of(response: Response, host: String) -> Self {
        Self { response, host, cutter: Cutter::default(), ended: false }
    }
}

#[async_trait]
impl LineStream for Lines {
    fn status(&self) -> u16 {
        self.response.status().as_u16()
    }

    async fn next(&mut self) -> Result<Option<String>, HttpError> {
        loop {
            if let Some(line) = self.cutter.line() {
                return Ok(Some(line));
            }
            if self.ended {
                return Ok(self.cutter.rest());
            }
            match self.response.chunk().await.map_err(|fault| classify(&fault, &self.host))? {
                Some(chunk) => self.cutter.take(chunk),
                None => self.ended = true,
            }
        }
    }
}

/// Cuts chunks into lines.
#[derive(Default)]
struct Cutter {
    /// The line begun, at most [`LINE_LIMIT`] bytes of it.
    begun: Vec<u8>,
    /// The chunk that is being cut.
    chunk: Bytes,
}

impl Cutter {
    /// Takes the next chunk; the last one must be used up.
    fn take(&mut self, chunk: Bytes) {
        self.chunk = chunk;
    }

    fn keep(&mut self, length: usize) {
        let room = LINE_LIMIT.saturating_sub(self.begun.len());
        self.begun.extend_from_slice(&self.chunk[..length.min(room)]);
    }

    /// The next whole line, if the chunk has its end.
    fn line(&mut self) -> Option<String> {
        let Some(end) = self.chunk.iter().position(|byte| *byte == b'\n') else {
            self.keep(self.chunk.len());
            self.chunk.clear();
            return None;
        };
        self.keep(end);
        self.chunk.advance(end + 1);
        Some(self.text())
    }

    /// What is left when no chunk comes any more.
    fn rest(&mut self) -> Option<String> {
        (!self.begun.is_empty()).then(|| self.text())
    }

    fn text(&mut self) -> String {
        let text = String::from_utf8_lossy(&self.begun).trim_end_matches('\r').to_owned();
        self.begun.clear();
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(chunks: &[&str]) -> Vec<String> {
        let mut cutter = Cutter::default();
        let mut lines = Vec::new();
        for chunk in chunks {
            cutter.take(Bytes::copy_from_slice(chunk.as_bytes()));
            while let Some(line) = cutter.line() {
                lines.push(line);
            }
        }
        lines.extend(cutter.rest());
        lines
    }

    #[test]
    fn lines_are_cut_wherever_the_chunks_end() {
        assert_eq!(cut(&["a\nb", "c\r\n", "\n", "d"]), ["a", "bc", "", "d"]);
        assert!(cut(&["", ""]).is_empty());
    }

    #[test]
    fn an_endless_line_is_cut_at_the_limit_and_the_next_one_is_whole() {
        let long = "x".repeat(LINE_LIMIT);
        let lines = cut(&[&long, &long, "x\nnext\n"]);
        assert_eq!((lines[0].len(), lines[1].as_str()), (LINE_LIMIT, "next"));
    }
}
