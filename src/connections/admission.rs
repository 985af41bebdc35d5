//! Counts open connections, in total and by address.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use ipnet::IpNet;

use super::{
    limits::{LimitReached, Limits},
    metrics,
};
use crate::middleware::client::ClientAddr;

/// Admits connections within the limits.
#[derive(Debug)]
pub struct Admission {
    total: usize,
    per_address: usize,
    proxies: Vec<IpNet>,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    total: usize,
    /// Excludes trusted proxies and loopback peers.
    by_address: HashMap<IpAddr, usize>,
}

/// Counts one connection until it is dropped.
#[derive(Debug)]
pub struct ConnectionPermit {
    admission: Arc<Admission>,
    /// The address it is counted under.
    address: Option<IpAddr>,
}

impl Admission {
    pub fn new(limits: &Limits) -> Self {
        Self {
            total: limits.connections,
            per_address: limits.per_address,
            proxies: limits.proxies.clone(),
            open: Mutex::default(),
        }
    }

    /// Admits a connection of `peer`.
    ///
    /// # Errors
    /// The limit that it would exceed.
    pub fn admit(self: &Arc<Self>, peer: IpAddr) -> Result<ConnectionPermit, LimitReached> {
        let address = self.counted_by(peer);
        let mut open = self.open();
        if let Some(address) = address
            && open.by_address.get(&address).is_some_and(|count| *count >= self.per_address)
        {
            return Err(LimitReached::Address);
        }
        if open.total >= self.total {
            return Err(LimitReached::Total);
        }
        Ok(self.count(&mut open, address))
    }

    /// Admits a connection of `peer` in place of one that is being closed.
    pub fn admit_replacing(self: &Arc<Self>, peer: IpAddr) -> ConnectionPermit {
        let address = self.counted_by(peer);
        self.count(&mut self.open(), address)
    }

    fn count(self: &Arc<Self>, open: &mut Open, address: Option<IpAddr>) -> ConnectionPermit {
        open.total += 1;
        if let Some(address) = address {
            *open.by_address.entry(address).or_default() += 1;
        }
        metrics::opened();
        ConnectionPermit { admission: self.clone(), address }
    }

    /// The address under which `peer` is counted. `None` for trusted proxies, which serve many clients, and for
    /// loopback peers, which may be proxies that are not in `trusted_proxies`.
    fn counted_by(&self, peer: IpAddr) -> Option<IpAddr> {
        // A dual-stack listener sees IPv4 peers as ::ffff:a.b.c.d.
        let peer = peer.to_canonical();
        let is_counted = !peer.is_loopback() && !self.proxies.iter().any(|net| net.contains(&peer));
        (is_counted && self.per_address < usize::MAX).then(|| ClientAddr(peer).throttle_key())
    }

    /// After a panic of another holder the counts are still usable.
    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        let mut open = self.admission.open();
        open.total -= 1;
        if let Some(address) = self.address
            && let Some(count) = open.by_address.get_mut(&address)
        {
            *count -= 1;
            // Keeps the map no larger than the number of open connections.
            if *count == 0 {
                open.by_address.remove(&address);
            }
        }
        drop(open);
        metrics::closed();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn admission(settings: &[(&'static str, &str)]) -> Arc<Admission> {
        Arc::new(Admission::new(&Limits::new(&Config::of(settings), 20_000)))
    }

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn each_address_has_its_own_limit() {
        let admission = admission(&[("connections", "6"), ("connections_per_address", "2")]);
        let admit = |text| admission.admit(address(text));
        let first =
            [admit("192.0.2.1"), admit("::ffff:192.0.2.1")].map(|permit| permit.expect("within the cap"));
        assert_eq!(admit("192.0.2.1").expect_err("the third"), LimitReached::Address);
        let others = ["192.0.2.2", "2001:db8::1", "2001:db8::ffff:1", "192.0.2.3"];
        let others = others.map(|text| admit(text).expect("of other addresses"));
        assert_eq!(admit("2001:db8::2").expect_err("a subscriber has a whole /64"), LimitReached::Address);
        assert_eq!(admit("192.0.2.4").expect_err("all are taken"), LimitReached::Total);
        drop(first);
        admit("192.0.2.1").expect("its permits are free again");
        drop(others);
        let open = admission.open();
        assert_eq!((open.total, open.by_address.len()), (0, 0), "nothing is kept of who has gone");
    }

    #[test]
    fn proxies_are_limited_only_by_the_total() {
        let admission = admission(&[
            ("connections", "100"),
            ("connections_per_address", "1"),
            ("trusted_proxies", "10.0.0.0/8"),
        ]);
        for proxy in ["10.1.2.3", "::ffff:10.1.2.3", "127.0.0.1", "::1"] {
            let permits: Vec<_> = (0..100).map(|_| admission.admit(address(proxy))).collect();
            assert!(permits.iter().all(Result::is_ok), "{proxy}");
            assert_eq!(admission.admit(address(proxy)).expect_err("all are taken"), LimitReached::Total);
        }
    }
}
