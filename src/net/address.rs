//! Owns which addresses may be spoken to, and the resolver that holds names to it: link-local ones
//! (a cloud machine's metadata service lives there) are refused, by number and by name.

use std::net::{IpAddr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Whether `address` is link-local: 169.254.0.0/16 and `fe80::/10`, also mapped into IPv6.
pub fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => {
            let mapped = address.to_ipv4_mapped().is_some_and(|address| address.is_link_local());
            mapped || (address.segments()[0] & 0xffc0) == 0xfe80
        }
    }
}

/// The system's resolver, without link-local answers.
#[derive(Clone, Copy, Debug)]
pub struct Resolver;

/// Why a name led to no address that may be used. Found again in the error chain of the client.
#[derive(Clone, Copy, Debug, thiserror::Error)]
pub enum Unresolved {
    /// Nobody knows the name.
    #[error("the name does not resolve")]
    Unknown,
    /// It resolves to link-local addresses only.
    #[error("the name resolves to a link-local address")]
    LinkLocal,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move { Ok(lookup(name.as_str(), 0).await?) })
    }
}

/// The addresses of `name` that may be used, with `port`.
pub async fn lookup(name: &str, port: u16) -> Result<Addrs, Unresolved> {
    let found: Vec<SocketAddr> =
        tokio::net::lookup_host((name, port)).await.map_err(|_| Unresolved::Unknown)?.collect();
    usable(found)
}

fn usable(found: Vec<SocketAddr>) -> Result<Addrs, Unresolved> {
    if found.is_empty() {
        return Err(Unresolved::Unknown);
    }
    let allowed: Vec<SocketAddr> = found.into_iter().filter(|address| !is_link_local(address.ip())).collect();
    if allowed.is_empty() { Err(Unresolved::LinkLocal) } else { Ok(Box::new(allowed.into_iter())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn link_local_addresses_are_told_from_others() {
        for text in ["169.254.169.254", "fe80::1", "febf::1", "::ffff:169.254.0.1"] {
            assert!(is_link_local(address(text)), "{text}");
        }
        for text in ["169.253.0.1", "127.0.0.1", "::1", "fec0::1", "::ffff:10.0.0.1"] {
            assert!(!is_link_local(address(text)), "{text}");
        }
    }

    #[test]
    fn a_name_keeps_only_its_addresses_that_may_be_used() {
        let both = vec![SocketAddr::new(address("169.254.1.1"), 0), SocketAddr::new(address("10.0.0.1"), 0)];
        let kept: Vec<_> = usable(both.clone()).ok().unwrap().collect();
        assert_eq!(kept, both[1..]);
        assert!(matches!(usable(both[..1].to_vec()), Err(Unresolved::LinkLocal)));
        assert!(matches!(usable(Vec::new()), Err(Unresolved::Unknown)));
    }
}
