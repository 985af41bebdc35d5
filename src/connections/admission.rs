//! How many connections there are, in all and by address.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use ipnet::IpNet;

use super::{limits::Limits, metrics};
use crate::middleware::client::ClientAddr;

/// Why a connection is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitReached {
    /// There are as many as there may be.
    Total,
    /// Its address has as many as it may have.
    Address,
}

/// The count of open connections.
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
    /// Without those that are not counted by address.
    by_address: HashMap<IpAddr, usize>,
}

/// One connection's part in the count, until it is dropped.
#[derive(Debug)]
pub struct ConnectionPermit {
    admission: Arc<Admission>,
    /// By which it is counted.
    address: Option<IpAddr>,
}

impl Admission {
    /// Nobody is connected yet.
    pub fn new(limits: &Limits) -> Self {
        Self {
            total: limits.connections,
            per_address: limits.per_address,
            proxies: limits.proxies.clone(),
            open: Mutex::default(),
        }
    }

    /// Counts a connection of `peer`.
    ///
    /// # Errors
    /// The cap that it would exceed.
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

    /// Counts a connection of `peer` for which another one is being closed, and so is not refused.
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

    /// What `peer` is counted by. A reverse proxy speaks for many, and so may a peer on this very machine: its
    /// operator may not have named it in `trusted_proxies`.
    fn counted_by(&self, peer: IpAddr) -> Option<IpAddr> {
        // A socket that listens on both families sees IPv4 peers as ::ffff:a.b.c.d.
        let peer = peer.to_canonical();
        let is_counted = !peer.is_loopback() && !self.proxies.iter().any(|net| net.contains(&peer));
        (is_counted && self.per_address < usize::MAX).then(|| ClientAddr(peer).throttle_key())
    }

    /// A panic while the lock was held leaves numbers that are right enough.
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
            // What is remembered is bounded by what is open.
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
    fn one_address_reaches_its_own_cap_and_not_that_of_others() {
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
    fn a_proxy_has_as_many_as_there_may_be() {
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
