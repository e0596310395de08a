//! Owns the reading of a trace from a file, `seconds,rate_per_s` at any fixed step: what is wrong is
//! said with its line, or mended and counted where that was asked for. It guesses nothing unasked.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use super::trace::Trace;
use super::trace_repair::{Repairs, mend};

/// The columns of a trace.
const COLUMNS: [&str; 2] = ["seconds", "rate_per_s"];

/// Larger files are not read: a sample every second for a year has half of it.
const MOST_BYTES: u64 = 1024 * 1024 * 1024;

/// More samples than these are not kept (160 MB).
pub(super) const MOST_SAMPLES: usize = 20_000_000;

/// A longer first line is no heading.
const LONGEST_HEADING: u64 = 4096;

/// Two steps that differ by less than this share are the same, written with fewer digits.
const SAME_STEP: f64 = 1e-3;

/// One line of a file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Row {
    pub line: u64,
    pub seconds: f64,
    pub rate: f64,
}

/// Reads the trace in `path`. With `repair` what can be mended is, and counted.
///
/// # Errors
/// What is wrong, with the file and the line.
pub fn read(path: &Path, repair: bool) -> Result<(Trace, Repairs), String> {
    let name = path.display().to_string();
    let file = File::open(path).map_err(|error| format!("the trace {name} cannot be read: {error}"))?;
    let size = file.metadata().map_err(|error| format!("the trace {name} cannot be read: {error}"))?;
    if size.is_dir() {
        return Err(format!("the trace {name} is a folder"));
    }
    parse(&name, BufReader::new(file), repair)
}

/// Reads a trace called `name`.
///
/// # Errors
/// As of [`read`].
pub fn parse(name: &str, input: impl BufRead, repair: bool) -> Result<(Trace, Repairs), String> {
    let mut repairs = Repairs::default();
    let mut input = input.take(MOST_BYTES + 1);
    let heading = heading(name, &mut input)?;
    let separator = separator(name, &heading, repair, &mut repairs)?;
    let columns = columns(name, &heading, separator)?;
    let rows = rows(name, input, separator, columns, repair, &mut repairs)?;
    let trace = if repair { mend(name, rows, &mut repairs)? } else { strict(name, &rows)? };
    Ok((trace, repairs))
}

/// The first line.
fn heading(name: &str, input: &mut impl BufRead) -> Result<String, String> {
    let mut line = Vec::new();
    let read = input.take(LONGEST_HEADING).read_until(b'\n', &mut line);
    read.map_err(|error| format!("{name}: {error}"))?;
    let text = std::str::from_utf8(&line).map_err(|_| format!("{name}:1: this is no text"))?;
    let text = text.trim_start_matches('\u{feff}').trim_end();
    if text.is_empty() {
        return Err(format!("{name}:1: the file is empty; it begins with the line `{}`", COLUMNS.join(",")));
    }
    Ok(text.to_owned())
}

/// The separator: a comma, or one that is put up with.
fn separator(name: &str, heading: &str, repair: bool, repairs: &mut Repairs) -> Result<u8, String> {
    if heading.contains(',') {
        return Ok(b',');
    }
    for (separator, words) in [(b';', "semicolons"), (b'\t', "tabs"), (b' ', "blanks"), (b'|', "bars")] {
        if heading.contains(char::from(separator)) {
            if !repair {
                let due = COLUMNS.join(",");
                return Err(format!(
                    "{name}:1: the columns are separated by {words}, and must be by commas: `{due}`{MENDED}"
                ));
            }
            repairs.separator = Some(words);
            return Ok(separator);
        }
    }
    Ok(b',')
}

/// Said of what `--repair` mends.
const MENDED: &str = "; `--repair` mends it";

/// Where the two columns are.
fn columns(name: &str, heading: &str, separator: u8) -> Result<[usize; 2], String> {
    let names: Vec<&str> = heading.split(char::from(separator)).map(|name| name.trim().trim_matches('"')).collect();
    let find = |column: &str| {
        names.iter().position(|name| name.eq_ignore_ascii_case(column)).ok_or_else(|| {
            let due = COLUMNS.join(",");
            if names.iter().all(|name| name.parse::<f64>().is_ok()) {
                return format!("{name}:1: the first line names the columns: `{due}`, not `{heading}`");
            }
            format!("{name}:1: there is no column `{column}` in `{heading}`; a trace has `{due}`")
        })
    };
    Ok([find(COLUMNS[0])?, find(COLUMNS[1])?])
}

fn rows(
    name: &str,
    input: impl Read,
    separator: u8,
    [seconds, rate]: [usize; 2],
    repair: bool,
    repairs: &mut Repairs,
) -> Result<Vec<Row>, String> {
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(separator)
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .quoting(false)
        .from_reader(input);
    let mut record = csv::ByteRecord::new();
    let mut rows = Vec::new();
    while reader.read_byte_record(&mut record).map_err(|error| format!("{name}: {error}"))? {
        let place = record.position().map_or((0, 0), |position| (position.line() + 1, position.byte()));
        let (line, byte) = place;
        if byte + record.as_slice().len() as u64 >= MOST_BYTES {
            return Err(format!("{name}:{line}: the file has more than 1 GiB; take a longer step"));
        }
        if record.iter().all(<[u8]>::is_empty) {
            continue;
        }
        let number = |column: usize, what: &str| {
            let field = record.get(column).ok_or_else(|| format!("{name}:{line}: there is no {what}"))?;
            let text = String::from_utf8_lossy(field);
            let text = text.trim_matches('"');
            text.parse::<f64>().map_err(|_| format!("{name}:{line}: the {what} `{}` is no number", shortened(text)))
        };
        let row = number(seconds, "time").and_then(|seconds| {
            let rate = number(rate, "rate")?;
            good(name, Row { line, seconds, rate })
        });
        match row {
            Ok(row) => rows.push(row),
            Err(_) if repair => repairs.unusable += 1,
            Err(error) => return Err(format!("{error}{MENDED}")),
        }
        if rows.len() > MOST_SAMPLES {
            return Err(format!("{name}:{line}: more than {MOST_SAMPLES} samples; take a longer step"));
        }
    }
    match rows.len() {
        0 => Err(format!("{name}: there is no sample below the heading")),
        1 => Err(format!("{name}: there is one sample, and a load takes at least two")),
        _ => Ok(rows),
    }
}

/// A row whose numbers can be used.
fn good(name: &str, row: Row) -> Result<Row, String> {
    let Row { line, seconds, rate } = row;
    if !seconds.is_finite() {
        return Err(format!("{name}:{line}: the time is {seconds}"));
    }
    if !rate.is_finite() {
        return Err(format!("{name}:{line}: the rate is {rate}, and must be a finite number"));
    }
    if rate < 0.0 {
        return Err(format!("{name}:{line}: the rate is {rate}, and a load is never negative"));
    }
    Ok(row)
}

fn shortened(text: &str) -> String {
    const LONGEST: usize = 40;
    if text.chars().count() <= LONGEST { text.into() } else { text.chars().take(LONGEST).chain(['…']).collect() }
}

/// Rows at a fixed step, as they stand.
fn strict(name: &str, rows: &[Row]) -> Result<Trace, String> {
    let step = rows[1].seconds - rows[0].seconds;
    for pair in rows.windows(2) {
        let (before, row) = (pair[0], pair[1]);
        let (line, passed) = (row.line, row.seconds - before.seconds);
        let said = if passed == 0.0 {
            format!("the time {} is that of line {}", row.seconds, before.line)
        } else if passed < 0.0 {
            format!("the time {} lies before that of line {}, {}", row.seconds, before.line, before.seconds)
        } else if passed > step * (1.0 + SAME_STEP) {
            format!("a gap: {passed} s after line {}, where the step is {step} s", before.line)
        } else if passed < step * (1.0 - SAME_STEP) {
            format!("{passed} s after line {}, where the step is {step} s", before.line)
        } else {
            continue;
        };
        return Err(format!("{name}:{line}: {said}{MENDED}"));
    }
    let rates = rows.iter().map(|row| row.rate).collect();
    Ok(Trace { name: name.into(), first: rows[0].seconds, step, rates })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<(Trace, Repairs), String> {
        parse("t.csv", text.as_bytes(), false)
    }

    #[test]
    fn a_trace_is_two_columns_in_any_order_and_others_beside_them() {
        for text in [
            "seconds,rate_per_s\n0,1\n30,2.5\n60,0\n",
            "\u{feff}Rate_per_s , note, \"seconds\"\r\n1,a,0\r\n2.5,b,30\r\n\r\n0,c,60\r\n",
        ] {
            let (trace, repairs) = parsed(text).unwrap();
            assert_eq!((trace.step, trace.first, trace.rates), (30.0, 0.0, vec![1.0, 2.5, 0.0]));
            assert!(repairs.is_empty());
        }
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        let head = "seconds,rate_per_s\n";
        for (text, due) in [
            ("", "t.csv:1: the file is empty"),
            (head, "t.csv: there is no sample below the heading"),
            ("seconds,rate_per_s\n0,1\n", "t.csv: there is one sample"),
            ("0,1\n60,2\n", "t.csv:1: the first line names the columns"),
            ("seconds,requests\n0,1\n", "t.csv:1: there is no column `rate_per_s` in `seconds,requests`"),
            ("seconds;rate_per_s\n0;1\n", "t.csv:1: the columns are separated by semicolons"),
            ("seconds,rate_per_s\n0,1\n60\n", "t.csv:3: there is no rate"),
            ("seconds,rate_per_s\n0,1\n60,many\n", "t.csv:3: the rate `many` is no number"),
            ("seconds,rate_per_s\n0,1\nnoon,1\n", "t.csv:3: the time `noon` is no number"),
            ("seconds,rate_per_s\n0,1\n60,-2\n", "t.csv:3: the rate is -2, and a load is never negative"),
            ("seconds,rate_per_s\n0,1\n60,NaN\n", "t.csv:3: the rate is NaN"),
            ("seconds,rate_per_s\n0,inf\n60,1\n", "t.csv:2: the rate is inf"),
            ("seconds,rate_per_s\n0,1\n60,1\n60,2\n", "t.csv:4: the time 60 is that of line 3"),
            ("seconds,rate_per_s\n0,1\n60,1\n30,2\n", "t.csv:4: the time 30 lies before that of line 3, 60"),
            ("seconds,rate_per_s\n0,1\n60,1\n180,2\n", "t.csv:4: a gap: 120 s after line 3, where the step is 60 s"),
            ("seconds,rate_per_s\n0,1\n60,1\n90,2\n", "t.csv:4: 30 s after line 3, where the step is 60 s"),
            ("seconds,rate_per_s\n\n0,1\n60,x\n", "t.csv:4: the rate `x` is no number"),
        ] {
            let said = parsed(text).unwrap_err();
            assert!(said.starts_with(due), "{text:?}: {said}");
        }
        assert!(parse("t.csv", &b"\xff\xfe\x00"[..], false).unwrap_err().contains("no text"));
    }

    #[test]
    fn a_file_that_is_no_file_is_said() {
        assert!(read(Path::new("/nowhere/t.csv"), false).unwrap_err().contains("cannot be read"));
        assert!(read(Path::new("/"), false).unwrap_err().contains("folder"));
    }
}
