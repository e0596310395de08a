//! Owns Redis URLs as Celery writes them: `redis://`, `rediss://`, `redis+socket://` and `sentinel://`,
//! with the options of kombu that concern the connection. It never quotes the URL: it holds a password.

use std::path::PathBuf;
use std::sync::Arc;

use percent_encoding::percent_decode_str;
use url::Url;

use crate::secret::Secret;
use crate::world::{RedisAddress, RedisServer, RedisTls};

const PORT: u16 = 6379;
const SENTINEL_PORT: u16 = 26379;

/// What a URL should look like, for those whose is not.
pub const EXAMPLE: &str =
    "it looks like `redis://:password@host:6379/0`, or begins with `rediss://`, `redis+socket://` or `sentinel://`";

/// Reads `text`; `master` is the setting `master_name`.
///
/// # Errors
/// What is wrong with it, without quoting it: "has no port that is a number".
pub fn parse(text: &str, master: Option<&str>) -> Result<RedisServer, String> {
    let mut parts = text.trim().split(';').filter(|part| !part.is_empty());
    let first = parts.next().ok_or("is empty")?;
    let urls = std::iter::once(first).chain(parts).map(one).collect::<Result<Vec<Url>, String>>()?;
    // kombu takes credentials from the first URL and the database from the last.
    let (first, last) = (&urls[0], &urls[urls.len() - 1]);
    let scheme = first.scheme();
    if scheme != "sentinel" && urls.len() > 1 {
        return Err("names several servers, which only `sentinel://` may".into());
    }
    let address = match scheme {
        "redis" | "rediss" => RedisAddress::Tcp(host(first), first.port().unwrap_or(PORT)),
        "redis+socket" | "unix" => RedisAddress::Socket(PathBuf::from(decoded(first.path())?)),
        "sentinel" => RedisAddress::Sentinel {
            sentinels: urls.iter().map(|url| (host(url), url.port().unwrap_or(SENTINEL_PORT))).collect(),
            master: master.ok_or("is a `sentinel://` URL, for which the setting `master_name` is needed")?.into(),
        },
        other => return Err(format!("begins with `{other}:`")),
    };
    let database = match option(last, &["virtual_host", "db"]) {
        Some(text) => database(&text)?,
        None if matches!(address, RedisAddress::Socket(_)) => 0,
        None => database(last.path())?,
    };
    let username = Some(decoded(first.username())?).filter(|name| !name.is_empty()).map(Arc::from);
    let password = first.password().map(decoded).transpose()?.filter(|text| !text.is_empty()).map(Secret::new);
    let tls = if scheme == "rediss" { Some(tls(first)?) } else { None };
    Ok(RedisServer { address, username, password, database, tls })
}

fn one(text: &str) -> Result<Url, String> {
    Url::parse(text).map_err(|fault| format!("is no URL: {fault}"))
}

fn host(url: &Url) -> Arc<str> {
    let host = url.host_str().filter(|host| !host.is_empty()).unwrap_or("localhost");
    // Sockets want IPv6 addresses without the brackets of a URL.
    host.trim_start_matches('[').trim_end_matches(']').into()
}

fn decoded(text: &str) -> Result<String, String> {
    percent_decode_str(text)
        .decode_utf8()
        .map(std::borrow::Cow::into_owned)
        .map_err(|_| "has a part that is not UTF-8".into())
}

fn option(url: &Url, names: &[&str]) -> Option<String> {
    url.query_pairs().find(|(name, _)| names.contains(&&**name)).map(|(_, value)| value.into_owned())
}

fn database(path: &str) -> Result<i64, String> {
    let text = path.trim_matches('/');
    if text.is_empty() {
        return Ok(0);
    }
    text.parse().ok().filter(|number| *number >= 0).ok_or_else(|| "names a database that is no number".into())
}

/// Python's `ssl` calls both "optional" and "required" of a client the same: the server's certificate
/// is checked. Without the option it is checked too.
fn tls(url: &Url) -> Result<RedisTls, String> {
    let verify = match option(url, &["ssl_cert_reqs"]).map(|text| text.to_lowercase()).as_deref() {
        None | Some("required" | "cert_required" | "optional" | "cert_optional") => true,
        Some("none" | "cert_none") => false,
        Some(_) => return Err("has an `ssl_cert_reqs` that is not one of none, optional, required".into()),
    };
    let file = |name| option(url, &[name]).map(PathBuf::from);
    let identity = match (file("ssl_certfile"), file("ssl_keyfile")) {
        (Some(certificate), Some(key)) => Some((certificate, key)),
        (None, None) => None,
        _ => return Err("has one of `ssl_certfile` and `ssl_keyfile`, and needs both".into()),
    };
    Ok(RedisTls { verify, roots: file("ssl_ca_certs"), identity })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> RedisServer {
        parse(text, Some("mymaster")).unwrap()
    }

    #[test]
    fn celerys_urls_are_read() {
        let server = read("redis://me:p%40ss%2Fword@a.test:7000/3");
        assert_eq!(server.address, RedisAddress::Tcp("a.test".into(), 7000));
        assert_eq!((server.username.as_deref(), server.database), (Some("me"), 3));
        assert_eq!(server.password.unwrap().expose(), "p@ss/word");
        assert_eq!(read("redis://").address, RedisAddress::Tcp("localhost".into(), 6379));
        assert_eq!(read("redis://[::1]:1/").address, RedisAddress::Tcp("::1".into(), 1));
        let socket = read("redis+socket:///run/redis.sock?virtual_host=2");
        assert_eq!((socket.address, socket.database), (RedisAddress::Socket("/run/redis.sock".into()), 2));
    }

    #[test]
    fn sentinels_need_the_name_of_a_master() {
        let text = "sentinel://:secret-text@h1:1;sentinel://h2/4";
        let server = read(text);
        let sentinels = vec![("h1".into(), 1), ("h2".into(), 26379)];
        assert_eq!(server.address, RedisAddress::Sentinel { sentinels, master: "mymaster".into() });
        assert_eq!((server.password.unwrap().expose(), server.database), ("secret-text", 4));
        let needed = "is a `sentinel://` URL, for which the setting `master_name` is needed";
        assert_eq!(parse(text, None).unwrap_err(), needed);
    }

    #[test]
    fn certificates_are_checked_unless_told_not_to() {
        for (text, verify) in [
            ("rediss://a", true),
            ("rediss://a?ssl_cert_reqs=optional", true),
            ("rediss://a?ssl_cert_reqs=CERT_REQUIRED", true),
            ("rediss://a?ssl_cert_reqs=none", false),
            ("rediss://a?ssl_cert_reqs=CERT_NONE", false),
        ] {
            assert_eq!(read(text).tls.unwrap().verify, verify, "{text}");
        }
        assert!(read("redis://a?ssl_cert_reqs=none").tls.is_none());
    }

    #[test]
    fn what_is_wrong_is_told_without_the_url() {
        let wrong = |text| parse(text, None).unwrap_err();
        assert_eq!(wrong("redis://:pw@a:port/0"), "is no URL: invalid port number");
        assert_eq!(wrong("redis://a/queue"), "names a database that is no number");
        assert_eq!(wrong("amqp://a"), "begins with `amqp:`");
        assert_eq!(
            wrong("rediss://a?ssl_cert_reqs=maybe"),
            "has an `ssl_cert_reqs` that is not one of none, optional, required"
        );
        assert_eq!(wrong("redis://a;redis://b"), "names several servers, which only `sentinel://` may");
    }
}
