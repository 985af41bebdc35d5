//! Verified identities are cached; whatever ends a credential, or the right to chat, also ends the cached identity.

use std::time::Duration;

use chat::{
    Chat, Settings,
    clock::Clock,
    credential::{Claim, Credential, SessionId, SignInId},
    model::{Code, Timestamp, User, UserId},
    store::Store,
};
use tokio::time::{sleep, timeout};

use crate::support::{NOW, both, unhurried};

fn claim(user: &User) -> Claim {
    issued(user.id, NOW)
}

/// The claim of an access token issued at this time.
fn issued(user: UserId, issued_at: Timestamp) -> Claim {
    let sign_in = SignInId::new("a sign-in");
    Claim { user, credential: Credential::Token { sign_in, issued_at, expires_at: Timestamp(i64::MAX) } }
}

async fn refusal(chat: &Chat, claim: &Claim) -> Option<Code> {
    chat.authorize_claim(claim).await.err().map(|error| error.code())
}

both! {
    async fn every_end_of_a_credential_ends_the_cached_identity_at_once(world: World) {
        let (amy, bob) = (world.person("amy").await, world.person("bob").await);
        for _ in 0..2 {
            assert_eq!(world.chat.authorize_claim(&claim(&amy)).await.expect("good"), amy);
            assert_eq!(world.chat.authorize_claim(&claim(&bob)).await.expect("good"), bob);
        }
        world.chat.sign_out_elsewhere(&amy, &SessionId::of_secret("none")).await.expect("ended");
        assert_eq!(refusal(&world.chat, &issued(amy.id, NOW.plus_micros(-1))).await, Some(Code::TokenNotValid));
        assert_eq!(refusal(&world.chat, &claim(&bob)).await, None, "another's is good");
        let later = issued(amy.id, NOW.plus_micros(9_000_000));
        assert_eq!(refusal(&world.chat, &later).await, None, "issued after the end");
        world.chat.set_active("amy", false).await.expect("deactivated");
        assert_eq!(refusal(&world.chat, &later).await, Some(Code::UserInactive));
        world.chat.set_active("amy", true).await.expect("activated");
        let fresh = issued(amy.id, NOW.plus_micros(20_000_000));
        assert_eq!(refusal(&world.chat, &fresh).await, None);
        world.chat.set_password("amy", "another horse 9").await.expect("set");
        assert_eq!(refusal(&world.chat, &claim(&amy)).await, Some(Code::TokenNotValid));
        assert_eq!(refusal(&world.chat, &issued(UserId(99), NOW)).await, Some(Code::UserNotFound));
    }

    async fn new_names_are_in_the_identity_at_once(world: World) {
        let amy = world.person("amy").await;
        world.chat.authorize_claim(&claim(&amy)).await.expect("good");
        world.chat.rename(&amy, "Amélie", "").await.expect("renamed");
        assert_eq!(world.chat.authorize_claim(&claim(&amy)).await.expect("good").first_name, "Amélie");
    }

    async fn an_end_by_another_process_ends_the_cached_identity_within_two_seconds(world: World) {
        let amy = world.person("amy").await;
        world.chat.authorize_claim(&claim(&amy)).await.expect("good");
        let store = Store::open_existing(&world.url).await.expect("opened");
        let other = Chat::start(store, unhurried(), Clock::fixed(NOW));
        other.set_active("amy", false).await.expect("deactivated");
        timeout(Duration::from_secs(20), async {
            while refusal(&world.chat, &claim(&amy)).await.is_none() {
                sleep(Duration::from_millis(50)).await;
            }
        })
        .await
        .expect("noticed");
        assert_eq!(refusal(&world.chat, &claim(&amy)).await, Some(Code::UserInactive));
        other.stop().await;
    }

    async fn user_outside_the_required_group_is_refused(world: World) {
        let amy = world.person("amy").await;
        let group = Settings { required_group: Some("staff".into()), ..unhurried() };
        let world = world.restarted(group).await;
        assert_eq!(refusal(&world.chat, &claim(&amy)).await, Some(Code::NotInGroup));
        world.chat.add_to_group("amy", "staff").await.expect("added");
        assert_eq!(refusal(&world.chat, &claim(&amy)).await, None, "a refusal is not cached");
    }
}
