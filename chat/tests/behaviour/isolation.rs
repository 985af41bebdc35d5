//! A change that fails a batch is isolated, and fails nobody else's message.
//!
//! The failures are the database's own: a trigger rejects certain messages, with the error that the test needs.

use chat::{
    model::{Code, MessageDraft, Problem, RoomId, ServerFrame, User},
    service::{Receipt, RoomSession},
};

use crate::support::{World, both, cast::problem, draft, nodes};

/// Makes each message 'poison' an error.
async fn install_poison_trigger(world: &World) {
    let on_sqlite = "CREATE TRIGGER poison BEFORE INSERT ON chat_message WHEN NEW.content = 'poison' \
        BEGIN SELECT RAISE(ABORT, 'poison'); END";
    let on_mariadb = "CREATE TRIGGER poison BEFORE INSERT ON chat_message FOR EACH ROW \
        IF NEW.content = 'poison' THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'poison'; END IF";
    world.run(on_sqlite, on_mariadb).await;
}

/// Queues a message.
fn submit(world: &World, sender: &User, room: RoomId, text: &str) -> Receipt {
    world.chat.submit(sender, room, draft(text)).expect("queued")
}

/// The texts of the next `count` messages.
async fn received(session: &mut RoomSession, count: usize) -> Vec<String> {
    let mut texts = Vec::new();
    while texts.len() < count {
        if let ServerFrame::ChatMessage { message, .. } = nodes::next(session).await {
            texts.push(message.content);
        }
    }
    texts
}

both! {
    async fn messages_batched_with_failing_ones_are_stored_published_and_acknowledged(world: World) {
        install_poison_trigger(&world).await;
        let (amy, bob) = (world.person("amy").await, world.person("bob").await);
        let room = world.room(&amy).await.id;
        world.chat.join(&bob, room).await.expect("joined");
        let mut session = nodes::open(&world.chat, &bob, room).await;
        let (mut good, mut bad) = (Vec::new(), Vec::new());
        for n in 0..60 {
            good.push(submit(&world, &bob, room, &format!("good {n}")));
            if n % 7 == 3 {
                bad.push(submit(&world, &amy, room, "poison"));
            }
        }
        for receipt in bad {
            assert_eq!(receipt.await.expect_err("refused").code(), Code::Internal);
        }
        let mut revs = Vec::new();
        for receipt in good {
            revs.push(receipt.await.expect("stored").message.rev);
        }
        assert_eq!(revs, (2..=61).collect::<Vec<i64>>(), "after bob's joining, in order, and a refusal takes no place");
        let expected: Vec<String> = (0..60).map(|n| format!("good {n}")).collect();
        assert_eq!(received(&mut session, 60).await, expected);
        assert_eq!(world.texts(&bob, room).await, expected);
    }

    async fn failing_sender_keeps_its_order_and_affects_nobody(world: World) {
        install_poison_trigger(&world).await;
        let (amy, bob) = (world.person("amy").await, world.person("bob").await);
        let room = world.room(&amy).await.id;
        world.chat.join(&bob, room).await.expect("joined");
        assert_eq!(submit(&world, &amy, room, "poison").await.expect_err("refused").code(), Code::Internal);
        let mut receipts = Vec::new();
        for n in 0..30 {
            receipts.push((submit(&world, &bob, room, &format!("bob {n}")), true));
            let is_good = n % 5 != 2;
            let text = if is_good { format!("amy {n}") } else { "poison".to_owned() };
            receipts.push((submit(&world, &amy, room, &text), is_good));
        }
        for (receipt, is_good) in receipts {
            assert_eq!(receipt.await.is_ok(), is_good);
        }
        let texts = world.texts(&bob, room).await;
        let of = |name: &str| texts.iter().filter(|text| text.starts_with(name)).cloned().collect::<Vec<_>>();
        assert_eq!(of("bob"), (0..30).map(|n| format!("bob {n}")).collect::<Vec<_>>());
        let amys = (0..30).filter(|n| n % 5 != 2).map(|n| format!("amy {n}"));
        assert_eq!(of("amy"), amys.collect::<Vec<_>>());
    }

    async fn client_id_with_outer_white_space_is_rejected_before_it_is_batched(world: World) {
        let (amy, bob) = (world.person("amy").await, world.person("bob").await);
        let room = world.room(&amy).await.id;
        world.chat.join(&bob, room).await.expect("joined");
        let with_id = |client_id: &str| MessageDraft { client_id: Some(client_id.into()), ..draft("x") };
        world.chat.send(&amy, room, with_id("c1")).await.expect("stored");
        let mut good = Vec::new();
        for n in 0..40 {
            good.push(submit(&world, &bob, room, &format!("innocent {n}")));
            // MySQL compares the first as equal to 'c1'.
            for bad in ["c1 ", " c1", "c1\u{3000}", "c1\u{a0}"] {
                let refused = problem(world.chat.submit(&amy, room, with_id(bad)).map(drop));
                assert_eq!(refused, ("client_id".into(), Problem::OuterSpace), "{bad:?}");
            }
        }
        for receipt in good {
            receipt.await.expect("stored");
        }
    }
}

/// Makes the first `failures` attempts of a batch with a message 'busy' fail with MySQL's error `number`. The
/// attempts are counted in a table without transactions, which keeps them after a rollback.
async fn failing(world: &World, failures: &'static str) {
    world.run("", failures).await;
}

macro_rules! failing_tries {
    ($count:literal, $number:literal) => {
        concat!(
            "CREATE TABLE tries (n INT) ENGINE = MyISAM; \
             CREATE TRIGGER busy BEFORE INSERT ON chat_message FOR EACH ROW IF NEW.content = 'busy' THEN \
             INSERT INTO tries VALUES (1); IF (SELECT COUNT(*) FROM tries) <= ",
            $count,
            " THEN SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = ",
            $number,
            ", MESSAGE_TEXT = 'busy'; END IF; END IF"
        )
    };
}

/// How often a message 'busy' was attempted.
async fn tries(world: &World) -> i64 {
    use sqlx::Connection as _;
    let mut side = sqlx::MySqlConnection::connect(&world.url).await.expect("connected");
    sqlx::query_scalar("SELECT COUNT(*) FROM tries").fetch_one(&mut side).await.expect("counted")
}

/// Sends 'busy' in a room of amy's, and returns the result.
async fn busy(world: &World) -> Result<(), Code> {
    let amy = world.person("amy").await;
    let room = world.room(&amy).await.id;
    world.chat.send(&amy, room, draft("busy")).await.map(drop).map_err(|error| error.code())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deadlock_is_retried_until_it_succeeds() {
    let world = World::mariadb().await;
    failing(&world, failing_tries!(2, 1213)).await;
    assert_eq!(busy(&world).await, Ok(()));
    assert_eq!(tries(&world).await, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn persistent_deadlock_fails_after_four_tries() {
    let world = World::mariadb().await;
    failing(&world, failing_tries!(9, 1205)).await;
    assert_eq!(busy(&world).await, Err(Code::Unavailable));
    assert_eq!(tries(&world).await, 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn read_only_database_is_not_retried() {
    let world = World::mariadb().await;
    failing(&world, failing_tries!(9, 1290)).await;
    assert_eq!(busy(&world).await, Err(Code::Unavailable));
    assert_eq!(tries(&world).await, 1);
}
