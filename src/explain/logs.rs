//! Owns reading records from what stands on standard input or in a file: an array of records, records line by
//! line, or a log of the worker in any of its forms, with whatever a platform puts before each line.

use std::io::{BufRead, Read};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde_json::Value as Json;

use crate::pipeline::Record;

/// Of one line more than this is not read: a line of the log is at most 8 kB.
const LONGEST_LINE: u64 = 1 << 20;

/// More records than this are not kept: the newest are.
const MOST: usize = 500_000;

/// What stands in a log.
#[derive(Debug, Default)]
pub struct Log {
    /// Its records, oldest first.
    pub records: Vec<Arc<Record>>,
    /// Scales that only a line for people tells of.
    pub scales: Vec<ScaleLine>,
    /// Lines that were read.
    pub lines: usize,
}

/// A line of the log that tells of a scale.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScaleLine {
    /// The pipeline.
    pub pipeline: String,
    /// When, where the line has a time with its date.
    pub at: Option<DateTime<Utc>>,
    /// "scaled from 1 to 2 dynos: …".
    pub text: String,
}

impl Log {
    /// Reads all of `from`.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read(from: impl Read) -> std::io::Result<Self> {
        let mut from = std::io::BufReader::new(from);
        let mut log = Self::default();
        if first(&mut from)? == Some(b'[') {
            log.array(&mut from)?;
        } else {
            let mut line = Vec::new();
            while from.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line)? > 0 {
                log.line(&String::from_utf8_lossy(&line));
                line.clear();
            }
        }
        log.records.sort_by(|a, b| (a.at, &a.pipeline, a.tick).cmp(&(b.at, &b.pipeline, b.tick)));
        log.records.dedup_by(|a, b| (a.at, &a.pipeline, a.tick) == (b.at, &b.pipeline, b.tick));
        Ok(log)
    }

    /// What begins like an array: one of records, or lines of a log that happen to begin so.
    fn array(&mut self, from: &mut impl Read) -> std::io::Result<()> {
        let mut text = String::new();
        from.read_to_string(&mut text)?;
        self.lines = text.lines().count();
        if let Ok(items) = serde_json::from_str::<Vec<Json>>(&text) {
            for item in items {
                self.take(item);
            }
        } else {
            self.lines = 0;
            text.lines().for_each(|line| self.line(line));
        }
        Ok(())
    }

    fn line(&mut self, line: &str) {
        self.lines += 1;
        let line = line.trim();
        if let Some(start) = line.find('{')
            && let Ok(object @ Json::Object(_)) = serde_json::from_str::<Json>(&line[start..])
        {
            return self.take(object);
        }
        let field = |name: &str| logfmt(line, name);
        if let Some(record) = field("record").and_then(|text| serde_json::from_str(&text).ok()) {
            return self.take(record);
        }
        if let (Some(pipeline), Some(text)) = (field("pipeline"), field("msg"))
            && is_scale(&text)
        {
            let stamp = field("time").or_else(|| line.split_whitespace().next().map(str::to_owned));
            self.scales.push(ScaleLine { pipeline, at: stamp.and_then(|stamp| time(&stamp)), text });
        }
    }

    /// A record, or the line of a log in JSON.
    fn take(&mut self, mut json: Json) {
        if let Some(record) = json.get_mut("record").filter(|record| record.is_object()) {
            json = record.take();
        }
        if let (Some(pipeline), Some(text)) = (json["pipeline"].as_str(), json["msg"].as_str())
            && is_scale(text)
        {
            let at = json["time"].as_str().and_then(time);
            return self.scales.push(ScaleLine { pipeline: pipeline.to_owned(), at, text: text.to_owned() });
        }
        let Ok(record) = serde_json::from_value::<Record>(json) else { return };
        if self.records.len() >= MOST {
            self.records.drain(..MOST / 10);
        }
        self.records.push(Arc::new(record.completed()));
    }
}

fn is_scale(text: &str) -> bool {
    text.starts_with("scaled from ") || text.starts_with("would scale from ")
}

fn time(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text).ok().map(|time| time.to_utc())
}

/// The first byte that is no white space, which stays to be read.
fn first(from: &mut impl BufRead) -> std::io::Result<Option<u8>> {
    loop {
        let buffer = from.fill_buf()?;
        if buffer.is_empty() {
            return Ok(None);
        }
        let blank = buffer.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        if let Some(byte) = buffer.get(blank) {
            return Ok(Some(*byte));
        }
        from.consume(blank);
    }
}

/// The value of the field `name` in a line of key=value.
fn logfmt(line: &str, name: &str) -> Option<String> {
    let key = format!("{name}=");
    let at = line.match_indices(&key).map(|(at, _)| at).find(|at| {
        // In a quoted text before it there may stand the same.
        (*at == 0 || line[..*at].ends_with(' ')) && even_quotes(&line[..*at])
    })?;
    let rest = &line[at + key.len()..];
    let Some(quoted) = rest.strip_prefix('"') else {
        return Some(rest.split(' ').next().unwrap_or_default().to_owned());
    };
    let (mut text, mut characters) = (String::new(), quoted.chars());
    while let Some(c) = characters.next() {
        match c {
            '"' => return Some(text),
            '\\' => text.push(match characters.next()? {
                'n' => '\n',
                't' => '\t',
                c => c,
            }),
            c => text.push(c),
        }
    }
    // Cut off.
    None
}

/// Whether no quoted text is open at the end of `text`.
fn even_quotes(text: &str) -> bool {
    let mut open = false;
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        match c {
            '\\' if open => drop(characters.next()),
            '"' => open = !open,
            _ => {}
        }
    }
    !open
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORD: &str = r#"{"v":1,"pipeline":"web","generation":1,"tick":3,"at":"2026-11-24T03:12:00Z","mode":"live","measurements":[{"name":"measurement","backend":"custom","data":null,"value":1340.0,"success":true,"error":null,"at":"2026-11-24T03:12:00Z","took_ms":1.5}],"dynos":{"current":2,"booting":0,"proposed":null,"desired":2,"min":1,"max":5},"proposals":[{"name":"decision","dynos":null,"text":"it said \"no\" \\ really"}],"decision":"hold","reasons":[],"outcome":"none","error":null}"#;

    fn read(text: &str) -> Log {
        Log::read(text.as_bytes()).unwrap()
    }

    #[test]
    fn every_form_of_a_log_gives_the_same_record() {
        let escaped = RECORD.replace('\\', "\\\\").replace('"', "\\\"");
        let forms = [
            format!("[{RECORD}]"),
            format!("  \n{RECORD}\n"),
            format!(r#"{{"time":"2026-11-24T03:12:00Z","level":"debug","msg":"hold","record":{RECORD}}}"#),
            format!(r#"level=debug pipeline=web msg="hold: record=no" tick=3 record="{escaped}" dynos=2"#),
            format!(r#"2026-11-24T03:12:00.1+00:00 app[autoscaler.1]: level=debug msg=hold record="{escaped}""#),
            format!("2026-11-24T03:12:00.1+00:00 app[autoscaler.1]: {RECORD}"),
        ];
        for text in forms {
            let log = read(&text);
            assert_eq!(log.records.len(), 1, "{text}");
            assert_eq!(log.records[0].proposals[0].text, r#"it said "no" \ really"#);
            assert_eq!(log.records[0].measurements[0].data, Json::from(1340.0), "told by its value");
        }
    }

    #[test]
    fn what_is_no_record_is_passed_over_and_scales_are_kept() {
        let log = read(
            "[2026-11-24] starting\nlevel=info pipeline=web msg=\"nothing\"\n\
             2026-11-24T03:12:00+00:00 app[autoscaler.1]: level=info pipeline=web msg=\"scaled from 1 to 2 dynos: slow\"\n\
             {\"not\":\"a record\"}\nlevel=debug record=\"{\\\"cut",
        );
        assert_eq!((log.records.len(), log.lines), (0, 5));
        let expected = ScaleLine {
            pipeline: "web".into(),
            at: time("2026-11-24T03:12:00Z"),
            text: "scaled from 1 to 2 dynos: slow".into(),
        };
        assert_eq!(log.scales, [expected]);
    }
}
