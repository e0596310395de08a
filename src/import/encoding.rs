//! Owns making text of the bytes of a settings file, whatever it was saved as: UTF-8, with a byte order mark,
//! UTF-16, Latin-1 where its first lines say so. It never guesses: bytes that no rule explains are an error.

/// The largest file that is read. Settings are kilobytes; a megabyte is a mistake in the name of the file.
pub const LARGEST: usize = 1024 * 1024;

/// A text, and what was strange about it.
#[derive(Debug, PartialEq, Eq)]
pub struct Decoded {
    /// The text, its lines ended by `\n`.
    pub text: String,
    /// A warning, where the file is read as something that Python itself would not read.
    pub warning: Option<String>,
}

/// Why bytes are no text, and what to do.
#[derive(Debug, PartialEq, Eq)]
pub struct Undecoded {
    /// What is wrong.
    pub message: String,
    /// The mend.
    pub help: String,
    /// The line, where there is one.
    pub line: u32,
    /// The column in characters, or 0.
    pub column: u32,
}

/// The text that `bytes` are.
///
/// # Errors
/// Too large, in an encoding that is not known here, or not in the one that it says it is in.
pub fn decode(bytes: &[u8]) -> Result<Decoded, Undecoded> {
    if bytes.len() > LARGEST {
        let message = format!("the file is larger than {} MiB, which no settings are", LARGEST / 1024 / 1024);
        return Err(undecoded(message, "name the file that holds AUTOSCALE_SETTINGS"));
    }
    let (text, warning) = match bytes {
        [0xEF, 0xBB, 0xBF, rest @ ..] => (utf8(rest, &[])?, None),
        [0xFF, 0xFE, rest @ ..] => (utf16(rest, u16::from_le_bytes)?, Some(strange("UTF-16"))),
        [0xFE, 0xFF, rest @ ..] => (utf16(rest, u16::from_be_bytes)?, Some(strange("UTF-16"))),
        bytes => match declared(bytes) {
            Some(name) if is_latin_1(&name) => (bytes.iter().map(|&byte| char::from(byte)).collect(), None),
            Some(name) if !is_utf8(&name) => {
                let message = format!("the file says that it is in `{name}`, which is not read here");
                return Err(undecoded(message, "save it as UTF-8"));
            }
            _ => (utf8(bytes, bytes)?, None),
        },
    };
    if let Some(at) = text.find('\0') {
        let line = line_of(text.as_bytes(), at);
        let said = undecoded("the file is not text: it has a zero byte".into(), "name a Python, YAML or JSON file");
        return Err(Undecoded { line, ..said });
    }
    // Lines ended as on Windows, or as on a Mac of long ago, count like all others.
    Ok(Decoded { text: text.replace("\r\n", "\n").replace('\r', "\n"), warning })
}

fn strange(encoding: &str) -> String {
    format!("the file is in {encoding}, which Python does not read: save it as UTF-8")
}

fn undecoded(message: String, help: &str) -> Undecoded {
    Undecoded { message, help: help.into(), line: 0, column: 0 }
}

fn utf8(bytes: &[u8], hinted: &[u8]) -> Result<String, Undecoded> {
    std::str::from_utf8(bytes).map(str::to_owned).map_err(|error| {
        let at = error.valid_up_to();
        let start = bytes[..at].iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
        let column = String::from_utf8_lossy(&bytes[start..at]).chars().count() + 1;
        let byte = bytes.get(at).copied().unwrap_or_default();
        let looks_wide = hinted.get(1) == Some(&0) || hinted.first() == Some(&0);
        let help = if looks_wide {
            "it looks like UTF-16: save it as UTF-8"
        } else {
            "save it as UTF-8, or say in its first line what it is: `# -*- coding: latin-1 -*-`"
        };
        Undecoded {
            message: format!("the file is not UTF-8: the byte 0x{byte:02x} begins no character"),
            help: help.into(),
            line: line_of(bytes, at),
            column: u32::try_from(column).unwrap_or(0),
        }
    })
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, Undecoded> {
    let units = bytes.chunks(2).map(|pair| match pair {
        [a, b] => unit([*a, *b]),
        // Half a character at the end: what follows it is missing.
        _ => 0xD800,
    });
    let text: Result<String, _> = char::decode_utf16(units).collect();
    text.map_err(|_| undecoded("the file begins as UTF-16 and is damaged".into(), "save it as UTF-8"))
}

fn line_of(bytes: &[u8], at: usize) -> u32 {
    let before = bytes[..at].split(|&byte| byte == b'\n').count();
    u32::try_from(before).unwrap_or(u32::MAX)
}

/// The encoding that one of the first two lines names, as Python reads it: `# -*- coding: latin-1 -*-`.
fn declared(bytes: &[u8]) -> Option<String> {
    bytes.split(|&byte| byte == b'\n').take(2).find_map(|line| {
        let line = String::from_utf8_lossy(line);
        let line = line.trim_start();
        let after = line.starts_with('#').then(|| line.split_once("coding"))??.1;
        let name = after.strip_prefix([':', '='])?.trim_start();
        let end = name.find(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c))).unwrap_or(name.len());
        (end > 0).then(|| name[..end].to_ascii_lowercase().replace('_', "-"))
    })
}

fn is_utf8(name: &str) -> bool {
    ["utf-8", "utf8", "u8", "utf-8-sig", "ascii", "us-ascii"].contains(&name)
}

fn is_latin_1(name: &str) -> bool {
    ["latin-1", "latin1", "l1", "iso-8859-1", "iso8859-1", "8859"].contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_what_its_mark_or_its_first_line_says() {
        let text = |bytes: &[u8]| decode(bytes).unwrap().text;
        assert_eq!(text(b"\xEF\xBB\xBFa = 1\r\nb = 2\r"), "a = 1\nb = 2\n");
        assert_eq!(
            text(b"#!/usr/bin/python\n# -*- coding: latin-1 -*-\na = 'caf\xE9'"),
            "#!/usr/bin/python\n# -*- coding: latin-1 -*-\na = 'café'"
        );
        assert_eq!(text(b"# vim: set fileencoding=iso_8859_1 :\n'\xFC'"), "# vim: set fileencoding=iso_8859_1 :\n'ü'");
        let wide: Vec<u8> =
            std::iter::once(0xFEFF_u16).chain("ä = 1".encode_utf16()).flat_map(u16::to_le_bytes).collect();
        assert_eq!(text(&wide), "ä = 1");
        assert!(decode(&wide).unwrap().warning.unwrap().contains("UTF-16"));
        let wide: Vec<u8> = std::iter::once(0xFEFF_u16).chain("x".encode_utf16()).flat_map(u16::to_be_bytes).collect();
        assert_eq!(text(&wide), "x");
    }

    #[test]
    fn bytes_that_nothing_explains_are_told_with_their_place() {
        let error = decode(b"a = 1\nb = 'caf\xE9'").unwrap_err();
        assert_eq!((error.line, error.column), (2, 9));
        assert!(error.message.contains("0xe9") && error.help.contains("latin-1"), "{error:?}");
        assert!(decode(b"# coding: koi8-r\n").unwrap_err().message.contains("`koi8-r`"));
        assert!(decode(b"\xFF\xFEa").unwrap_err().message.contains("damaged"));
        assert_eq!(decode(b"a\n\0").unwrap_err().line, 2);
        assert!(decode(&vec![b'a'; LARGEST + 1]).unwrap_err().message.contains("larger than 1 MiB"));
    }
}
