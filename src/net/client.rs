//! Owns the live HTTP client: one pool of connections for the whole worker, replies read to their end
//! within a limit of time and size. A status is never an error here.

use std::collections::HashSet;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Response};
use tokio::time::{Instant, timeout_at};
use url::Url;

use super::address::{Resolver, is_link_local};
use super::errors::{classify, error, link_local, seconds};
use super::lines::Lines;
use super::redirect;
use crate::reach::Host;
use crate::world::{Http, HttpError, HttpErrorKind, LineStream, Reply, Request};

/// The largest body that is read, after decompression: 1 MiB. Replies are numbers and small JSON.
pub const BODY_LIMIT: usize = 1 << 20;

/// A kept connection that the server closed just as it was used again breaks at once: a request that
/// breaks within this time, before any answer, is sent once more on a new connection. Without this a
/// probe whose interval equals the server's keep-alive time would fail again and again.
const STALE: Duration = Duration::from_secs(1);

/// The live client. Cloning shares the connections.
#[derive(Clone, Debug)]
pub struct Client {
    inner: reqwest::Client,
    /// Hosts that have answered, with their ports. A worker asks few; see [`MOST_HOSTS`].
    answered: Arc<RwLock<HashSet<String>>>,
}

/// Hosts remembered at most; a script that makes up host names must not fill the memory. Further ones
/// count as never having answered.
const MOST_HOSTS: usize = 10_000;

/// One request, checked.
struct Prepared {
    method: Method,
    headers: HeaderMap,
    body: Option<Bytes>,
    deadline: Instant,
    timeout: Duration,
}

impl Client {
    /// Opens a client. A TLS provider must be installed (`net::install_tls`).
    ///
    /// # Errors
    /// When TLS cannot be set up, mostly for want of root certificates.
    pub fn new() -> Result<Self, String> {
        let inner = Self::builder().build().map_err(|fault| {
            let cause = std::error::Error::source(&fault).map_or_else(|| fault.to_string(), ToString::to_string);
            format!("no HTTP client: {cause} (are root certificates installed, as by `ca-certificates`?)")
        })?;
        Ok(Self { inner, answered: Arc::default() })
    }

    /// What every HTTP connection of the worker has in common: no redirects followed unseen, no
    /// link-local addresses, our name. For those who need more than [`Http`] (a stream, for example).
    pub fn builder() -> reqwest::ClientBuilder {
        reqwest::Client::builder()
            .user_agent(concat!("autoscaler/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .dns_resolver(Resolver)
            .referer(false)
    }

    /// The shared connections themselves, for a reply that must be read as a stream.
    #[must_use]
    pub fn connections(&self) -> &reqwest::Client {
        &self.inner
    }

    /// Walks from the one URL that was `visited` to the end of its redirects.
    async fn exchange(&self, mut visited: Vec<Url>, prepared: &Prepared) -> Result<Reply, HttpError> {
        loop {
            let (first, current) = visited.first().zip(visited.last()).expect("it starts with one and only grows");
            let kept = redirect::stays(first, current);
            let host = host(current);
            let mut started = Instant::now();
            let mut opened = self.open(current, &host, kept.then_some(prepared), prepared).await;
            if opened.as_ref().is_err_and(|fault| fault.kind == HttpErrorKind::Broken)
                && started.elapsed() < STALE
                && repeatable(prepared)
            {
                started = Instant::now();
                opened = self.open(current, &host, kept.then_some(prepared), prepared).await;
            }
            let mut response = match opened {
                Ok(response) => response,
                Err(_) if !kept => return Err(redirect::elsewhere(first, current)),
                Err(fault) => return Err(fault),
            };
            let location = response.headers().get("location").and_then(|value| value.to_str().ok());
            let Some(target) = redirect::target(response.status().as_u16(), location, current) else {
                return if kept {
                    read(&mut response, &host, prepared, started).await
                } else {
                    Err(redirect::elsewhere(first, current))
                };
            };
            let target = target?;
            if !repeatable(prepared) {
                return Err(redirect::elsewhere(first, &target));
            }
            if visited.contains(&target) {
                return Err(redirect::circle(first, &target));
            }
            if visited.len() > redirect::MOST_HOPS {
                return Err(redirect::endless(first, &target));
            }
            visited.push(target);
        }
    }

    fn note_answer(&self, host: &str) {
        let known = |hosts: &HashSet<String>| hosts.contains(host) || hosts.len() >= MOST_HOSTS;
        if !known(&self.answered.read().unwrap_or_else(PoisonError::into_inner)) {
            self.answered.write().unwrap_or_else(PoisonError::into_inner).insert(host.to_owned());
        }
    }

    /// Sends to `url` and waits for the head of the reply. `own` carries headers and body; without
    /// it the request is bare.
    async fn open(
        &self,
        url: &Url,
        host: &str,
        own: Option<&Prepared>,
        prepared: &Prepared,
    ) -> Result<Response, HttpError> {
        check_address(url)?;
        let late = |_| error(HttpErrorKind::Timeout, format!("no answer within {}", seconds(prepared.timeout)));
        let send = || async {
            let mut request = self.inner.request(prepared.method.clone(), url.clone());
            if let Some(own) = own {
                request = request.headers(own.headers.clone());
                if let Some(body) = &own.body {
                    request = request.body(body.clone());
                }
            }
            request.send().await.map_err(|fault| classify(&fault, host))
        };
        let response = timeout_at(prepared.deadline, send()).await.map_err(late)??;
        self.note_answer(host);
        Ok(response)
    }
}

#[async_trait]
impl Http for Client {
    async fn send(&self, request: Request) -> Result<Reply, HttpError> {
        let url = parse(&request.url)?;
        let prepared = prepare(request, &url)?;
        // Boxed: an allocator has two small futures at hand, and must look for one of over 1 kB.
        Box::pin(self.exchange(vec![url], &prepared)).await
    }

    async fn lines(&self, request: Request) -> Result<Box<dyn LineStream>, HttpError> {
        let url = parse(&request.url)?;
        let host = host(&url);
        let prepared = prepare(request, &url)?;
        let response = self.open(&url, &host, Some(&prepared), &prepared).await?;
        Ok(Box::new(Lines::of(response, host)))
    }

    fn has_answered(&self, url: &str) -> bool {
        let answered = self.answered.read().unwrap_or_else(PoisonError::into_inner);
        Url::parse(url).is_ok_and(|url| answered.contains(&host(&url)))
    }
}

/// Whether sending twice is the same as sending once.
fn repeatable(prepared: &Prepared) -> bool {
    matches!(prepared.method, Method::GET | Method::HEAD)
}

fn parse(text: &str) -> Result<Url, HttpError> {
    let invalid = |why: &str| error(HttpErrorKind::Invalid, format!("the URL of the request is no web address: {why}"));
    let url = Url::parse(text).map_err(|fault| invalid(&fault.to_string()))?;
    match url.scheme() {
        "http" | "https" => Ok(url),
        scheme => Err(invalid(&format!("it begins with `{scheme}:`, not with `http:` or `https:`"))),
    }
}

fn prepare(request: Request, url: &Url) -> Result<Prepared, HttpError> {
    let to = Host::of(url);
    let invalid = |what: &str, name: &str| {
        error(HttpErrorKind::Invalid, format!("{what} `{name}` of the request to {} cannot be sent", host(url)))
    };
    let method = Method::from_bytes(request.method.as_bytes()).map_err(|_| invalid("the method", &request.method))?;
    let mut headers = HeaderMap::new();
    // The last place to hold a secret back, whoever put it into the request.
    for (name, secret) in &request.secret_headers {
        if let Some(Err(why)) = to.as_ref().map(|to| secret.may_go_to(to)) {
            return Err(error(HttpErrorKind::Invalid, format!("the secret in the header `{name}` {why}")));
        }
    }
    let secret = request.secret_headers.iter().map(|(name, secret)| (name, secret.expose(), true));
    let plain = request.headers.iter().map(|(name, value)| (name, value.as_str(), false));
    for (name, text, sensitive) in plain.chain(secret) {
        let key = HeaderName::from_bytes(name.as_bytes()).map_err(|_| invalid("the header", name))?;
        let mut value = HeaderValue::from_str(text).map_err(|_| invalid("the value of the header", name))?;
        value.set_sensitive(sensitive);
        headers.append(key, value);
    }
    let (body, timeout) = (request.body, request.timeout);
    Ok(Prepared { method, headers, body, deadline: Instant::now() + timeout, timeout })
}

/// Refuses link-local addresses written as numbers; names are held to it by [`Resolver`].
fn check_address(url: &Url) -> Result<(), HttpError> {
    let address = match url.host() {
        Some(url::Host::Ipv4(address)) => address.into(),
        Some(url::Host::Ipv6(address)) => address.into(),
        _ => return Ok(()),
    };
    if is_link_local(address) { Err(link_local(url.host_str().unwrap_or_default())) } else { Ok(()) }
}

/// Host and port as messages name them.
fn host(url: &Url) -> String {
    let name = url.host_str().unwrap_or_default();
    url.port_or_known_default().map_or_else(|| name.to_owned(), |port| format!("{name}:{port}"))
}

async fn read(response: &mut Response, host: &str, prepared: &Prepared, started: Instant) -> Result<Reply, HttpError> {
    let too_large = || error(HttpErrorKind::TooLarge, format!("the reply of {host} is larger than 1 MiB"));
    // A body that cannot fit is not even begun; compressed ones are counted as they unfold.
    if prepared.method != Method::HEAD && response.content_length().is_some_and(|length| length > BODY_LIMIT as u64) {
        return Err(too_large());
    }
    let status = response.status().as_u16();
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers = response.headers().iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect();
    let mut body = BytesMut::new();
    loop {
        let chunk = timeout_at(prepared.deadline, response.chunk()).await.map_err(|_| {
            error(HttpErrorKind::Timeout, format!("the reply was not complete within {}", seconds(prepared.timeout)))
        })?;
        let Some(chunk) = chunk.map_err(|fault| classify(&fault, host))? else { break };
        if body.len() + chunk.len() > BODY_LIMIT {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Reply { status, headers, body: body.freeze(), took: started.elapsed() })
}
