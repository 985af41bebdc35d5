//! Addresses of Redis servers.

use std::fmt;

use redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo as _, ProtocolVersion};

/// One Redis server, or some nodes of one Redis Cluster. The `Debug` output contains no passwords.
#[derive(Clone)]
pub struct Addresses(Vec<ConnectionInfo>);

impl Addresses {
    /// Parses `redis://…` or `rediss://…` (TLS), or several of them separated by commas: nodes of one cluster, any of
    /// which may be down at the start. Whether it is a cluster is detected when connecting.
    pub fn parse(text: &str) -> Option<Self> {
        let all: Option<Vec<ConnectionInfo>> = text.split(',').map(|one| address(one.trim())).collect();
        all.filter(|all| !all.is_empty()).map(Self)
    }

    pub(super) fn infos(&self) -> &[ConnectionInfo] {
        &self.0
    }
}

fn address(text: &str) -> Option<ConnectionInfo> {
    let (scheme, _) = text.split_once("://")?;
    if !matches!(scheme, "redis" | "rediss") {
        return None;
    }
    let info = text.into_connection_info().ok()?;
    // Push messages and replies on one connection need RESP3.
    let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
    Some(info.set_redis_settings(settings))
}

pub(super) fn host_port(address: &ConnectionAddr) -> String {
    address.to_string()
}

impl fmt::Debug for Addresses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|info| host_port(info.addr()))).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_redis_addresses_are_parsed() {
        for (text, count) in [
            ("redis://127.0.0.1:6379", 1),
            ("rediss://ada:s3cret@cache.example:6380/2", 1),
            ("redis://a:7000, redis://b:7000,redis://c:7000", 3),
        ] {
            let addresses = Addresses::parse(text).expect(text);
            assert_eq!(addresses.infos().len(), count);
            assert!(!format!("{addresses:?}").contains("s3cret"));
        }
        for text in ["", ",", "127.0.0.1:6379", "http://a:1", "unix:///tmp/x", "redis://a:7000,", "redis://"]
        {
            assert!(Addresses::parse(text).is_none(), "{text}");
        }
    }
}
