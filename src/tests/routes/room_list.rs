//! `GET /api/chat/rooms/`: content, order and filters.

use serde_json::{Value, json};

use crate::support::{Person, both};

async fn makes(who: &Person, name: &str, kind: &str) -> i64 {
    let room =
        who.client.post("/api/chat/rooms/", &json!({"name": name, "room_type": kind})).await.expect(201);
    room["id"].as_i64().expect("an id")
}

async fn list(who: &Person, query: &[(&str, &str)]) -> Vec<Value> {
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
    who.client
        .get(&format!("/api/chat/rooms/?{query}"))
        .await
        .expect(200)
        .as_array()
        .expect("an array")
        .clone()
}

fn ids(rooms: &[Value]) -> Vec<i64> {
    rooms.iter().filter_map(|room| room["id"].as_i64()).collect()
}

both! {
    async fn it_has_the_public_rooms_and_mine_with_the_latest_activity_first(server: &Server) {
        let (amy, bob) = (server.person("amy").await, server.person("bob").await);
        // Other tests create rooms concurrently, so these have unique names.
        let name = &*format!("list of {}", amy.username);
        let open = makes(&amy, name, "public").await;
        let hidden = makes(&amy, name, "private").await;
        let last = makes(&amy, name, "group").await;
        let named = [("search", name)];
        assert_eq!(ids(&list(&amy, &named).await), [last, hidden, open]);
        assert_eq!(ids(&list(&bob, &named).await), [open], "what is hidden is not there");
        amy.says(open, "news").await;
        let rooms = list(&amy, &named).await;
        assert_eq!(ids(&rooms), [open, last, hidden]);
        let message = &rooms[0]["last_message"];
        assert_eq!((&message["content"], &message["sender"]), (&json!("news"), &json!(amy.username)));
        assert_eq!((&rooms[0]["is_member"], &rooms[0]["my_role"]), (&json!(true), &json!("admin")));
        assert!(rooms[0].get("members").is_none(), "members are the detail's");
    }

    async fn a_search_has_no_special_characters(server: &Server) {
        let amy = server.person("amy").await;
        let own = |text: &str| format!("{text} {}", amy.username);
        for name in ["50% tea", "500 teas", "Under_score", "underXscore", "茶馆!"] {
            makes(&amy, &own(name), "private").await;
        }
        for (search, found) in [("50%", vec!["50% tea"]), ("R_s", vec!["Under_score"]), ("馆!", vec!["茶馆!"]), ("[5]", vec![])] {
            let rooms = list(&amy, &[("mine", "true"), ("search", search)]).await;
            let names: Vec<&str> = rooms.iter().filter_map(|room| room["name"].as_str()).collect();
            assert_eq!(names, found.into_iter().map(own).collect::<Vec<_>>(), "{search}");
        }
    }

    async fn it_is_filtered_by_type_and_membership(server: &Server) {
        let (amy, bob) = (server.person("amy").await, server.person("bob").await);
        let name = &*format!("types of {}", amy.username);
        let open = makes(&amy, name, "public").await;
        let hidden = makes(&amy, name, "private").await;
        for (kind, found) in [("public", vec![open]), ("private", vec![hidden]), ("group", vec![])] {
            assert_eq!(ids(&list(&amy, &[("search", name), ("room_type", kind)]).await), found, "{kind}");
        }
        assert_eq!(ids(&list(&amy, &[("search", name), ("mine", "true")]).await), [hidden, open]);
        assert_eq!(ids(&list(&bob, &[("search", name), ("mine", "true")]).await), Vec::<i64>::new());
        bob.joins(open).await;
        assert_eq!(ids(&list(&bob, &[("search", name), ("mine", "1")]).await), [open]);
    }

    async fn cursors_neither_skip_nor_repeat_while_the_order_changes(server: &Server) {
        let amy = server.person("amy").await;
        let mut made = Vec::new();
        for n in 0..5 {
            made.push(makes(&amy, &format!("page {n}"), "private").await);
        }
        let mut path = "/api/chat/rooms/?mine=true&page_size=2".to_owned();
        let mut met = Vec::new();
        loop {
            let page = amy.client.get(&path).await;
            let link = page.headers.get("link").and_then(|link| link.to_str().ok()).unwrap_or_default().to_owned();
            met.extend(ids(page.expect(200).as_array().expect("an array")));
            // The last room moves to the front.
            amy.says(made[4], "again").await;
            let next = link.split(',').find(|link| link.ends_with("rel=\"next\""));
            let Some(next) = next.and_then(|link| link.split(['<', '>']).nth(1)) else { break };
            path = next.to_owned();
        }
        made.reverse();
        assert_eq!(met, made, "each once");
    }
}
