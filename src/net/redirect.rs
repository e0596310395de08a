//! Owns which redirects are followed: one that keeps host and path (http to https, another query).
//! All others are a failure that names the URL they end at; they are walked with bare requests only,
//! so that no header of ours reaches another host.

use url::Url;

use super::errors::error;
use crate::world::{HttpError, HttpErrorKind};

/// Redirects walked at most, as browsers and curl allow at least.
pub const MOST_HOPS: usize = 10;

/// Whether going from `from` to `to` stays with the same host and path. http may become https (both
/// on their usual ports), never the other way round: headers would leave the protection of TLS.
pub fn stays(from: &Url, to: &Url) -> bool {
    let origin = from.scheme() == to.scheme() && from.port() == to.port();
    let upgrade = from.scheme() == "http" && to.scheme() == "https" && from.port().is_none() && to.port().is_none();
    from.host_str() == to.host_str() && from.path() == to.path() && (origin || upgrade)
}

/// The URL without what may be secret in it (credentials, query, fragment).
pub fn shown(url: &Url) -> String {
    let mut shown = url.clone();
    // Only URLs without a host refuse these, and those are never requested.
    let _ = shown.set_username("");
    let _ = shown.set_password(None);
    shown.set_query(None);
    shown.set_fragment(None);
    shown.to_string()
}

/// Where a reply of `status` with the header `location` sends a client that asked for `from`.
pub fn target(status: u16, location: Option<&str>, from: &Url) -> Option<Result<Url, HttpError>> {
    if !matches!(status, 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let target = from.join(location?);
    Some(match target {
        Ok(mut to) if matches!(to.scheme(), "http" | "https") && to.host_str().is_some() => {
            to.set_fragment(None);
            if stays(from, &to) {
                keep_credentials(from, &mut to);
            }
            Ok(to)
        }
        _ => {
            let message = format!("`{}` redirects to something that is no web address", shown(from));
            Err(error(HttpErrorKind::Redirect, message))
        }
    })
}

fn keep_credentials(from: &Url, to: &mut Url) {
    // Only URLs without a host refuse these.
    let _ = to.set_username(from.username());
    let _ = to.set_password(from.password());
}

/// The failure of a request for `first` that ended at `last`.
pub fn elsewhere(first: &Url, last: &Url) -> HttpError {
    let message = format!(
        "`{}` redirects to `{}`, which is another host or path; if that is what is meant, write it in its place",
        shown(first),
        shown(last)
    );
    error(HttpErrorKind::Redirect, message)
}

/// The failure of a request for `first` whose redirects come back to `again`.
pub fn circle(first: &Url, again: &Url) -> HttpError {
    let message = format!("`{}` redirects in a circle, back to `{}`", shown(first), shown(again));
    error(HttpErrorKind::Redirect, message)
}

/// The failure of a request for `first` whose redirects do not end.
pub fn endless(first: &Url, last: &Url) -> HttpError {
    let message = format!("`{}` redirects more than {MOST_HOPS} times, lastly to `{}`", shown(first), shown(last));
    error(HttpErrorKind::Redirect, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn host_and_path_are_kept_or_not() {
        let from = url("http://app.test/measurement/");
        for same in
            ["https://app.test/measurement/", "http://APP.test/measurement/?a=1", "http://app.test:80/measurement/"]
        {
            assert!(stays(&from, &url(same)), "{same}");
        }
        for other in
            ["http://www.app.test/measurement/", "http://app.test/measurement", "https://app.test:8443/measurement/"]
        {
            assert!(!stays(&from, &url(other)), "{other}");
        }
        assert!(!stays(&url("https://app.test/"), &url("http://app.test/")));
    }

    #[test]
    fn credentials_go_only_where_host_and_path_are_kept() {
        let from = url("http://user:pass@app.test/m");
        let kept = target(301, Some("https://app.test/m"), &from).unwrap().unwrap();
        assert_eq!(kept.as_str(), "https://user:pass@app.test/m");
        let gone = target(302, Some("https://other.test/m"), &from).unwrap().unwrap();
        assert_eq!(gone.as_str(), "https://other.test/m");
        assert!(target(200, Some("/x"), &from).is_none());
    }
}
