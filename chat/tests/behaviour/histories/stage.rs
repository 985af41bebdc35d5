//! One history: its room, who acts in it, and what must be stored.

use std::collections::BTreeSet;

use chat::{
    Chat,
    model::{MessageId, RoomId, User},
};

use super::{
    acts::{Act, act},
    client::{Client, messages},
    followed::{Fence, Followed},
    follower::Follower,
    known::{Members, Stored, info, standings},
    moves::{Absence, CLIENTS, ClientMove, Move, Round, Step},
    system::{Cast, PEOPLE, System},
};
use crate::support::new_room;

pub struct Stage<'s> {
    system: &'s System,
    cast: &'s Cast,
    room: RoomId,
    clients: Vec<Client>,
    followers: Vec<Follower>,
    /// Messages acknowledged as stored.
    acknowledged: BTreeSet<MessageId>,
    /// Fences so far. They are sent through the nodes in turn.
    fences: usize,
}

impl<'s> Stage<'s> {
    /// A new room with its creator, the usher, and one more member.
    pub async fn open(system: &'s System, cast: &'s Cast) -> Self {
        let chat = &system.node(0).chat;
        let room = chat.create_room(&cast.people[0], new_room("public")).await.expect("made").id;
        for member in [&cast.usher, &cast.people[1]] {
            chat.join(member, room).await.expect("joined");
        }
        let client = |person: &usize| Client::new(chat.clone(), cast.people[*person].clone(), room);
        let follower = |user: &User| Follower::new(chat.clone(), user.clone(), cast.hall);
        Self {
            system,
            cast,
            room,
            clients: CLIENTS.iter().map(client).collect(),
            followers: cast.people.iter().map(follower).collect(),
            acknowledged: BTreeSet::new(),
            fences: 0,
        }
    }

    fn chat(&self, node: usize) -> &'s Chat {
        &self.system.node(node).chat
    }

    /// Runs the events of a step, and compares the clients that have returned in it and are to be compared.
    pub async fn play(&mut self, step: Step) -> Result<(), String> {
        let Step { in_room, of_clients } = step;
        let (mut clients, mut followers) = (BTreeSet::new(), BTreeSet::new());
        for (_, made) in &of_clients {
            match made {
                ClientMove::Connect { client, is_compared: true, .. } => drop(clients.insert(*client)),
                ClientMove::Follow { who, is_compared: true, .. } => drop(followers.insert(*who)),
                _ => {}
            }
        }
        self.act(&in_room, of_clients).await?;
        if clients.is_empty() && followers.is_empty() {
            Ok(())
        } else {
            self.compare(clients, followers).await
        }
    }

    /// Everybody disconnects, something happens, and everybody returns and is compared.
    pub async fn play_round(&mut self, absence: Absence, round: Round) -> Result<(), String> {
        self.clients.iter_mut().for_each(Client::disconnect);
        self.followers.iter_mut().for_each(Follower::disconnect);
        match absence {
            Absence::Plain => {}
            Absence::Rejoined => self.remove_and_let_in().await?,
            Absence::Flooded => self.act(&[(0, Move::LongFlood)], Vec::new()).await?,
        }
        let mut returns: Vec<(usize, ClientMove)> = Vec::new();
        for (client, (node, how)) in round.clients.into_iter().enumerate() {
            returns.push((node, ClientMove::Connect { client, how, is_compared: true }));
        }
        for (who, (node, how)) in round.followers.into_iter().enumerate() {
            returns.push((node, ClientMove::Follow { who, how, is_compared: true }));
        }
        self.act(&round.away, Vec::new()).await?;
        self.act(&[], returns).await?;
        self.compare((0..CLIENTS.len()).collect(), (0..PEOPLE).collect()).await?;
        if absence == Absence::Flooded && self.clients.iter().any(Client::has_missed_resync) {
            return Err("a client that missed too much was not told so".into());
        }
        Ok(())
    }

    /// Removes everybody but the creator from the room, and lets them in again after a message.
    async fn remove_and_let_in(&mut self) -> Result<(), String> {
        let others = || 1..PEOPLE;
        let unban = others().map(|who| (0, Move::Ban { by: 0, who, is_banned: false }));
        let remove = others().map(|who| (1, Move::Remove { by: 0, who }));
        let said = [(0, Move::Send { who: 0, client_id: None, mentioned: None })];
        let join = others().map(|who| (1, Move::Join(who)));
        for moves in [unban.collect(), remove.collect(), said.to_vec(), join.collect::<Vec<_>>()] {
            self.act(&moves, Vec::new()).await?;
        }
        Ok(())
    }

    /// Runs these events concurrently.
    async fn act(
        &mut self,
        in_room: &[(usize, Move)],
        of_clients: Vec<(usize, ClientMove)>,
    ) -> Result<(), String> {
        let known: Vec<MessageId> = self.acknowledged.iter().copied().collect();
        let before = self.members().await;
        let targets: BTreeSet<usize> = in_room.iter().filter_map(|(_, made)| made.target()).collect();
        let (system, cast, room) = (self.system, self.cast, self.room);
        let acts = in_room.iter().map(|(node, made)| {
            let act_of = Act { node: system.node(*node), people: &cast.people, room, known: &known };
            act(act_of, &before, &targets, made)
        });
        let acts = futures::future::try_join_all(acts);
        let (acknowledged, by_clients) = tokio::join!(acts, self.move_clients(of_clients));
        by_clients?;
        self.acknowledged.extend(acknowledged?.into_iter().flatten().map(|message| message.id));
        Ok(())
    }

    async fn move_clients(&mut self, moves: Vec<(usize, ClientMove)>) -> Result<(), String> {
        for (node, made) in moves {
            let chat = self.chat(node);
            match made {
                ClientMove::Connect { client, how, .. } => self.clients[client].connect(chat, how).await?,
                ClientMove::Disconnect(client) => self.clients[client].disconnect(),
                ClientMove::Receive { client, frames } => self.clients[client].receive(frames).await?,
                ClientMove::Follow { who, how, .. } => self.followers[who].connect(chat, how).await?,
                ClientMove::Unfollow(who) => self.followers[who].disconnect(),
                ClientMove::ReceiveNotifications { who, frames } => {
                    self.followers[who].receive(frames).await?;
                }
            }
        }
        Ok(())
    }

    /// Compares what these clients and followers know with what is stored.
    async fn compare(&mut self, clients: BTreeSet<usize>, followers: BTreeSet<usize>) -> Result<(), String> {
        let chat = self.chat(0);
        let fence = self.send_fence().await;
        let stored = self.stored().await;
        if !self.acknowledged.iter().eq(stored.messages.keys()) {
            return Err(format!("acknowledged {:?}, stored {:?}", self.acknowledged, stored.messages.keys()));
        }
        if !stored.messages.values().is_sorted_by_key(|message| message.created_at) {
            return Err("the times of the room fall".into());
        }
        let mut catching_up = Vec::new();
        for (who, follower) in
            self.followers.iter_mut().enumerate().filter(|(who, _)| followers.contains(who))
        {
            let (rooms, user) = ([self.room, self.cast.hall], &self.cast.people[who]);
            let followed = Followed::read(chat, user, rooms, fence, self.system.tells_names).await;
            // At the same time: each may have to wait for a count.
            catching_up.push(async move { follower.catch_up(&followed).await });
        }
        futures::future::try_join_all(catching_up).await?;
        for client in clients {
            let client = &mut self.clients[client];
            // A client that was removed has no wrong state, and receives nothing more.
            if stored.members.get(&client.user.username).is_some_and(|standing| !standing.is_banned) {
                client.catch_up(fence.room).await?;
                client.agrees_with(&stored)?;
            }
        }
        Ok(())
    }

    async fn send_fence(&mut self) -> Fence {
        let chat = self.chat(self.fences);
        self.fences += 1;
        let send = async |room| {
            chat.send(&self.cast.usher, room, self.cast.fence()).await.expect("stored").message.id
        };
        let fence = Fence { room: send(self.room).await, hall: send(self.cast.hall).await };
        self.acknowledged.insert(fence.room);
        fence
    }

    async fn members(&self) -> Members {
        standings(self.chat(0).members(&self.cast.usher, self.room).await.expect("listed"))
    }

    /// The room as a fresh client reads it.
    async fn stored(&self) -> Stored {
        let (chat, usher) = (self.chat(0), &self.cast.usher);
        let room = chat.room(usher, self.room).await.expect("seen");
        Stored {
            messages: messages(chat, usher, self.room).await.expect("readable"),
            members: self.members().await,
            member_count: room.member_count,
            room: info(room),
        }
    }

    /// Deletes the room, so that the rooms of the cast do not become more and more.
    pub async fn close(self) {
        self.chat(0).delete_room(&self.cast.people[0], self.room).await.expect("deleted");
    }
}
