use std::sync::atomic::{AtomicU32, Ordering};

use chat::Error;

use super::*;

const NOW: Timestamp = Timestamp(1_769_355_000_000_000);
const HOME: &str = "192.0.2.7";

struct Stage {
    throttle: Throttle,
    clock: Clock,
}

fn stage(per_account: u32, per_address: u32) -> Stage {
    let limit = |count| (count > 0).then_some(count);
    let limits = Limits {
        per_account: limit(per_account),
        per_address: limit(per_address),
        sign_ups_per_address: Some(2),
        sign_up_failures_per_address: Some(3),
    };
    let clock = Clock::fixed(NOW);
    Stage { throttle: Throttle::new(limits, clock.clone()), clock }
}

fn from(address: &str) -> ClientAddr {
    ClientAddr(address.parse().expect("an address"))
}

impl Stage {
    async fn attempt(&self, name: &str, address: &str, outcome: chat::Result<()>) -> Result<bool, u64> {
        let result = self.throttle.attempt(name, from(address), async { outcome }).await;
        result.map(|result| result.is_ok()).map_err(|Throttled(wait)| wait.as_secs())
    }

    async fn fail(&self, name: &str, address: &str) -> Result<bool, u64> {
        self.attempt(name, address, Err(Error::from(Code::NoActiveAccount))).await
    }

    async fn succeed(&self, name: &str, address: &str) -> Result<bool, u64> {
        self.attempt(name, address, Ok(())).await
    }
}

#[tokio::test]
async fn an_account_is_throttled_until_five_minutes_after_its_first_failure() {
    let stage = stage(3, 0);
    for _ in 0..3 {
        assert_eq!(stage.fail("amy", HOME).await, Ok(false));
        stage.clock.advance(60_000_000);
    }
    assert_eq!(stage.succeed("amy", HOME).await, Err(120), "the right password too");
    assert_eq!(stage.succeed(" AMY ", "198.51.100.1").await, Err(120), "however spelled, wherever from");
    assert_eq!(stage.succeed("bob", HOME).await, Ok(true));
    stage.clock.advance(120_000_000);
    assert_eq!(stage.fail("amy", HOME).await, Ok(false), "the first is forgotten");
    assert_eq!(stage.succeed("amy", HOME).await, Err(60), "the others are not");
}

#[tokio::test]
async fn an_address_is_throttled_across_accounts() {
    let stage = stage(0, 2);
    assert_eq!(stage.fail("amy", HOME).await, Ok(false));
    assert_eq!(stage.fail("bob", HOME).await, Ok(false));
    assert_eq!(stage.succeed("eve", HOME).await, Err(300));
    assert_eq!(stage.succeed("amy", "192.0.2.8").await, Ok(true));
    assert_eq!(stage.fail("amy", "2001:db8::1").await, Ok(false));
    assert_eq!(stage.fail("amy", "2001:db8::ffff:1").await, Ok(false));
    assert_eq!(stage.fail("amy", "2001:db8::2").await, Err(300), "a subscriber has a whole /64");
    assert_eq!(stage.fail("amy", "2001:db8:0:1::1").await, Ok(false));
}

#[tokio::test]
async fn only_failed_sign_ins_count() {
    let stage = stage(1, 1);
    for _ in 0..5 {
        assert_eq!(stage.succeed("amy", HOME).await, Ok(true));
        assert_eq!(stage.attempt("amy", HOME, Err(Error::Overloaded)).await, Ok(false));
        assert_eq!(stage.attempt("amy", HOME, Err(Error::from(Code::Invalid))).await, Ok(false));
    }
    assert_eq!(stage.fail("amy", HOME).await, Ok(false));
    assert_eq!(stage.fail("amy", HOME).await, Err(300));
}

#[tokio::test]
async fn nothing_is_counted_without_a_limit() {
    let stage = stage(0, 0);
    for _ in 0..100 {
        assert_eq!(stage.fail("amy", HOME).await, Ok(false));
    }
}

/// Starts `count` sign-ins at once, each of which yields once and then returns `outcome()`. Returns how many ran and
/// how many were throttled.
async fn at_once(stage: Stage, count: u32, outcome: fn() -> chat::Result<()>) -> (u32, usize) {
    let stage = Arc::new(stage);
    let ran = Arc::new(AtomicU32::new(0));
    let tasks: Vec<_> = (0..count)
        .map(|_| {
            let (stage, ran) = (Arc::clone(&stage), Arc::clone(&ran));
            tokio::spawn(async move {
                let work = async {
                    ran.fetch_add(1, Ordering::Relaxed);
                    tokio::task::yield_now().await;
                    outcome()
                };
                stage.throttle.attempt("amy", from(HOME), work).await.is_err()
            })
        })
        .collect();
    let mut throttled = 0;
    for task in tasks {
        throttled += usize::from(task.await.expect("no panic"));
    }
    (ran.load(Ordering::Relaxed), throttled)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_failures_get_no_more_tries_than_consecutive_ones() {
    let wrong = || Err(Error::from(Code::NoActiveAccount));
    assert_eq!(at_once(stage(10, 50), 1_000, wrong).await, (10, 990));
    assert_eq!(at_once(stage(0, 50), 1_000, wrong).await, (50, 950));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_successes_wait_for_each_other_and_all_succeed() {
    assert_eq!(at_once(stage(10, 50), 1_000, || Ok(())).await, (1_000, 0));
}

#[tokio::test]
async fn a_cancelled_attempt_releases_its_permit() {
    let stage = stage(1, 1);
    let never = std::future::pending::<chat::Result<()>>();
    let attempt = stage.throttle.attempt("amy", from(HOME), never);
    let given_up = tokio::time::timeout(Duration::from_millis(1), attempt);
    assert!(given_up.await.is_err());
    assert_eq!(stage.succeed("amy", HOME).await, Ok(true));
}

#[tokio::test]
async fn the_number_of_tracked_accounts_is_bounded() {
    let stage = stage(10, 0);
    for n in 0..3 * MAX_TRACKED {
        assert_eq!(stage.fail(&format!("name{n}"), HOME).await, Ok(false));
    }
    let counters = stage.throttle.accounts.expect("counted");
    assert!(counters.by_key.len() <= MAX_TRACKED, "{}", counters.by_key.len());
}

#[tokio::test]
async fn created_accounts_and_rejected_sign_ups_have_separate_limits() {
    let stage = stage(0, 0);
    let sign_up = async |address: &str, outcome: chat::Result<()>| {
        let result = stage.throttle.sign_up(from(address), async { outcome }).await;
        result.map(|result| result.is_ok()).map_err(|Throttled(wait)| wait.as_secs())
    };
    let rejected = || Err(Error::from(Code::Invalid));
    for _ in 0..2 {
        assert_eq!(sign_up(HOME, rejected()).await, Ok(false));
    }
    assert_eq!(sign_up(HOME, Ok(())).await, Ok(true), "rejected ones are not among them");
    stage.clock.advance(60_000_000);
    assert_eq!(sign_up(HOME, Ok(())).await, Ok(true));
    assert_eq!(sign_up(HOME, Ok(())).await, Err(240));
    assert_eq!(sign_up("198.51.100.1", Ok(())).await, Ok(true), "from elsewhere one may");
    stage.clock.advance(240_000_000);
    assert_eq!(sign_up(HOME, Ok(())).await, Ok(true), "the first is forgotten");
    for _ in 0..3 {
        assert_eq!(sign_up("203.0.113.9", rejected()).await, Ok(false));
    }
    assert_eq!(sign_up("203.0.113.9", Ok(())).await, Err(300), "rejected ones have a limit of their own");
}
