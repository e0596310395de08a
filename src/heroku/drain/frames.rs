//! Owns the reading of a drain's body: `<octets> <message>` again and again, each message a syslog line as Logplex
//! writes it, `<PRI>1 TIME HOST SOURCE PROCESS - TEXT`. Nothing is copied.

/// One message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// "heroku" or "app".
    pub source: &'a str,
    /// "router", "web.1".
    pub process: &'a str,
    /// What is said, without the end of the line.
    pub text: &'a str,
}

/// Why a body cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// What must be a number is none.
    #[error("at byte {0} of the body must stand a number of octets and a space")]
    Length(usize),
    /// It breaks off.
    #[error("the frame at byte {at} of the body says {told} octets, and {left} are left")]
    Half {
        /// Where it begins.
        at: usize,
        /// What it says.
        told: usize,
        /// What there is.
        left: usize,
    },
    /// It is no syslog message.
    #[error("the frame at byte {0} of the body is no syslog message `<PRI>1 TIME HOST SOURCE PROCESS - TEXT`")]
    Syslog(usize),
}

/// The messages of a body; after an error there are none.
#[derive(Clone, Debug)]
pub struct Frames<'a> {
    body: &'a [u8],
    at: usize,
}

/// Digits of a length; a body has at most seven.
const MOST_DIGITS: usize = 8;

impl<'a> Frames<'a> {
    /// The messages of `body`.
    #[must_use]
    pub fn of(body: &'a [u8]) -> Self {
        Self { body, at: 0 }
    }

    fn read(&mut self) -> Result<Frame<'a>, FrameError> {
        let start = self.at;
        let rest = &self.body[start..];
        self.at = self.body.len();
        let space = rest.iter().take(MOST_DIGITS + 1).position(|byte| *byte == b' ');
        let digits = space.map(|space| &rest[..space]).filter(|digits| digits.iter().all(u8::is_ascii_digit));
        let told: Option<usize> =
            digits.and_then(|digits| std::str::from_utf8(digits).ok()).and_then(|digits| digits.parse().ok());
        let (Some(space), Some(told)) = (space, told) else { return Err(FrameError::Length(start)) };
        let left = rest.len() - space - 1;
        if told > left {
            return Err(FrameError::Half { at: start, told, left });
        }
        let message = &rest[space + 1..][..told];
        self.at = start + space + 1 + told;
        message_of(message).ok_or(FrameError::Syslog(start))
    }
}

impl<'a> Iterator for Frames<'a> {
    type Item = Result<Frame<'a>, FrameError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.at == self.body.len() {
            return None;
        }
        let read = self.read();
        if read.is_err() {
            self.at = self.body.len();
        }
        Some(read)
    }
}

/// Reads `<158>1 2012-10-11T03:47:20+00:00 host heroku router - at=info …`. A text that is no UTF-8 is an app's own,
/// and is let go.
fn message_of(message: &[u8]) -> Option<Frame<'_>> {
    let text = match std::str::from_utf8(message) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&message[..error.valid_up_to()]).ok()?,
    };
    let (priority, text) = text.strip_prefix('<')?.split_once(">1 ")?;
    if priority.is_empty() || priority.len() > 3 || !priority.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let mut fields = text.splitn(6, ' ');
    let (_time, _host, source, process, _id) =
        (fields.next()?, fields.next()?, fields.next()?, fields.next()?, fields.next()?);
    let text = fields.next().unwrap_or_default();
    Some(Frame { source, process, text: text.trim_end_matches(['\n', '\r']) })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROUTER: &str = "<158>1 2012-10-11T03:47:20+00:00 host heroku router - at=info service=18ms status=200\n";

    fn framed(message: &str) -> String {
        format!("{} {message}", message.len())
    }

    #[test]
    fn octets_are_counted_and_not_lines() {
        let state = "<40>1 2012-11-30T06:45:29+00:00 host app web.3 - größer\nals vorher\n";
        let body = format!("{}{}", framed(state), framed(ROUTER));
        let found: Vec<Frame> = Frames::of(body.as_bytes()).collect::<Result<_, _>>().unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].process, found[0].text), ("web.3", "größer\nals vorher"));
        let router = Frame { source: "heroku", process: "router", text: "at=info service=18ms status=200" };
        assert_eq!(found[1], router);
        assert_eq!(Frames::of(b"").next(), None);
    }

    #[test]
    fn the_example_of_logplex_is_read() {
        let body = "83 <40>1 2012-11-30T06:45:29+00:00 host app web.3 - State changed from starting to up\n\
                    119 <40>1 2012-11-30T06:45:26+00:00 host app web.3 - Starting process with command `bundle exec \
                    rackup config.ru -p 24405`\n";
        let found: Vec<Frame> = Frames::of(body.as_bytes()).collect::<Result<_, _>>().unwrap();
        let texts = [
            "State changed from starting to up",
            "Starting process with command `bundle exec rackup config.ru -p 24405`",
        ];
        assert_eq!(found.iter().map(|frame| frame.text).collect::<Vec<_>>(), texts);
    }

    #[test]
    fn a_broken_body_ends_at_what_is_wrong() {
        let good = framed(ROUTER);
        let error = |body: &str| Frames::of(body.as_bytes()).find_map(Result::err);
        assert_eq!(error(&good[..good.len() - 1]), Some(FrameError::Half { at: 0, told: 86, left: 85 }));
        let at = good.len();
        for (behind, expected) in [
            ("x", FrameError::Length(at)),
            (" ", FrameError::Length(at)),
            ("12", FrameError::Length(at)),
            ("-1 x", FrameError::Length(at)),
            ("99999999999999999999 x", FrameError::Length(at)),
            ("5 short", FrameError::Syslog(at)),
            ("0 ", FrameError::Syslog(at)),
            ("13 <x>1 t h a p ", FrameError::Syslog(at)),
            ("13 <1>1 t h a p", FrameError::Half { at, told: 13, left: 12 }),
        ] {
            assert_eq!(error(&format!("{good}{behind}")), Some(expected), "{behind}");
        }
        assert!(Frames::of(&[0xff; 64]).next().unwrap().is_err());
        let cut = [b"40 <1>1 t h app web.1 - caf".as_slice(), &[0xe9; 18]].concat();
        assert_eq!(Frames::of(&cut).next().unwrap().unwrap().text, "caf");
    }
}
