//! What makes a batch fail is found, and fails nobody else's message.
//!
//! The failures are the database's own: a trigger refuses certain messages, with the error that the test asks for.

use chat::{
    model::{Code, MessageDraft, Problem, RoomId, ServerFrame, User},
    service::{Receipt, RoomSession},
};

use crate::support::{World, both, cast::problem, draft, nodes};

/// Makes each message 'poison' an error.
async fn poisoned(world: &World) {
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
async fn heard(session: &mut RoomSession, count: usize) -> Vec<String> {
    let mut texts = Vec::new();
    while texts.len() < count {
        if let ServerFrame::ChatMessage { message, .. } = nodes::next(session).await {
            texts.push(message.content);
        }
    }
    texts
}

both! {
    async fn of_a_batch_with_guilty_messages_all_others_are_stored_announced_and_answered(world: World) {
        poisoned(&world).await;
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
        assert_eq!(revs, (1..=60).collect::<Vec<i64>>(), "in order, and a refusal takes no place");
        let expected: Vec<String> = (0..60).map(|n| format!("good {n}")).collect();
        assert_eq!(heard(&mut session, 60).await, expected);
        assert_eq!(world.texts(&bob, room).await, expected);
    }

    async fn the_guilty_sender_goes_on_in_order_and_harms_nobody(world: World) {
        poisoned(&world).await;
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

    async fn a_client_id_with_white_space_at_its_ends_is_refused_before_it_meets_others(world: World) {
        let (amy, bob) = (world.person("amy").await, world.person("bob").await);
        let room = world.room(&amy).await.id;
        world.chat.join(&bob, room).await.expect("joined");
        let with_id = |client_id: &str| MessageDraft { client_id: Some(client_id.into()), ..draft("x") };
        world.chat.send(&amy, room, with_id("c1")).await.expect("stored");
        let mut good = Vec::new();
        for n in 0..40 {
            good.push(submit(&world, &bob, room, &format!("innocent {n}")));
            // To MySQL the first is 'c1'.
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

/// Makes the first `failures` tries of a batch with a message 'busy' fail with MySQL's error `number`. What is written
/// into a table without transactions outlives them, so tries can be counted.
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

/// How often a message 'busy' was tried.
async fn tries(world: &World) -> i64 {
    use sqlx::Connection as _;
    let mut side = sqlx::MySqlConnection::connect(&world.url).await.expect("connected");
    sqlx::query_scalar("SELECT COUNT(*) FROM tries").fetch_one(&mut side).await.expect("counted")
}

/// A room of amy's in which she sends 'busy'; what she is answered.
async fn busy(world: &World) -> Result<(), Code> {
    let amy = world.person("amy").await;
    let room = world.room(&amy).await.id;
    world.chat.send(&amy, room, draft("busy")).await.map(drop).map_err(|error| error.code())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deadlock_is_tried_again_until_it_succeeds() {
    let world = World::mariadb().await;
    failing(&world, failing_tries!(2, 1213)).await;
    assert_eq!(busy(&world).await, Ok(()));
    assert_eq!(tries(&world).await, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deadlock_without_end_is_given_up_after_four_tries() {
    let world = World::mariadb().await;
    failing(&world, failing_tries!(9, 1205)).await;
    assert_eq!(busy(&world).await, Err(Code::Unavailable));
    assert_eq!(tries(&world).await, 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_only_lets_itself_be_read_is_not_tried_again() {
    let world = World::mariadb().await;
    failing(&world, failing_tries!(9, 1290)).await;
    assert_eq!(busy(&world).await, Err(Code::Unavailable));
    assert_eq!(tries(&world).await, 1);
}
