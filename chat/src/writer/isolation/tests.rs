use std::sync::Mutex;

use super::*;
use crate::store::StoreError;

/// A batch operation on numbers that fails as `fails` says and logs its calls.
struct Script<F> {
    fails: F,
    log: Mutex<Vec<String>>,
}

impl<F: Fn(&[i64]) -> Option<Error> + Sync> Script<F> {
    fn new(fails: F) -> Self {
        Self { fails, log: Mutex::default() }
    }

    fn note(&self, what: &str, jobs: &[i64]) {
        self.log.lock().expect("the log").push(format!("{what} {jobs:?}"));
    }

    fn log(&self, what: &str) -> Vec<String> {
        let log = self.log.lock().expect("the log");
        log.iter().filter(|line| line.starts_with(what)).cloned().collect()
    }
}

impl<F: Fn(&[i64]) -> Option<Error> + Sync> Attempt for Script<F> {
    type Job = i64;
    type Outcome = ();

    async fn attempt(&self, jobs: &[i64]) -> Result<()> {
        self.note("try", jobs);
        (self.fails)(jobs).map_or(Ok(()), Err)
    }

    fn announce(&self, jobs: Vec<i64>, (): ()) {
        self.note("done", &jobs);
    }

    fn refuse(&self, job: i64, failure: Failure) {
        self.note(if failure.code == Code::Unavailable { "later" } else { "never" }, &[job]);
    }

    fn sender(job: &i64) -> UserId {
        UserId(*job)
    }
}

fn broken() -> Error {
    StoreError::Corrupt("a row").into()
}

fn unavailable() -> Error {
    StoreError::Unreachable("no route".into()).into()
}

fn is_poisoned(jobs: &[i64]) -> bool {
    jobs.contains(&3)
}

#[tokio::test]
async fn failing_job_is_isolated_and_the_others_run_in_order() {
    let work = Script::new(|jobs: &[i64]| is_poisoned(jobs).then(broken));
    assert_eq!(run(&work, (0..8).collect()).await, [UserId(3)]);
    assert_eq!(work.log("done"), ["done [0, 1]", "done [2]", "done [4, 5, 6, 7]"]);
    assert_eq!(work.log("never"), ["never [3]"]);
    let all = work.log("");
    let place = |line: &str| all.iter().position(|other| other == line);
    assert!(
        place("done [0, 1]") < place("try [2, 3]"),
        "the first half is announced before the second is tried"
    );
}

#[tokio::test]
async fn panicking_job_is_isolated() {
    let work = Script::new(|jobs: &[i64]| if is_poisoned(jobs) { panic!("poison") } else { None });
    assert_eq!(run(&work, (0..5).collect()).await, [UserId(3)]);
    assert_eq!(work.log("done"), ["done [0, 1]", "done [2]", "done [4]"]);
}

#[tokio::test]
async fn jobs_that_fail_only_together_succeed_alone() {
    let work = Script::new(|jobs: &[i64]| (jobs.len() > 1).then(broken));
    assert!(run(&work, (0..4).collect()).await.is_empty());
    assert_eq!(work.log("done"), ["done [0]", "done [1]", "done [2]", "done [3]"]);
}

#[tokio::test]
async fn batch_is_not_halved_while_the_database_is_unavailable() {
    let work = Script::new(|_: &[i64]| Some(unavailable()));
    assert!(run(&work, (0..4).collect()).await.is_empty());
    assert_eq!(work.log("try"), ["try [0, 1, 2, 3]"]);
    assert_eq!(work.log("later").len(), 4);
}

#[tokio::test]
async fn remaining_jobs_are_refused_when_the_database_becomes_unavailable() {
    let work = Script::new(|jobs: &[i64]| match jobs {
        [0, 1, 2, 3] => Some(broken()),
        [2, 3] => Some(unavailable()),
        _ => None,
    });
    assert!(run(&work, (0..4).collect()).await.is_empty());
    assert_eq!(work.log("done"), ["done [0, 1]"]);
    assert_eq!(work.log("later"), ["later [2]", "later [3]"]);
}
