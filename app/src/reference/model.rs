//! What the page shows, as plain text.

/// The whole reference.
#[derive(Clone, Debug, Default)]
pub struct Reference {
    /// What to know first; paragraphs, lists and code spans.
    pub about: String,
    /// The calls, grouped.
    pub groups: Vec<Group>,
    /// The sockets.
    pub sockets: Vec<Socket>,
}

/// Calls that belong together.
#[derive(Clone, Debug)]
pub struct Group {
    /// A word for addresses.
    pub name: String,
    /// What they are about.
    pub title: String,
    /// The calls.
    pub operations: Vec<Operation>,
}

/// A call.
#[derive(Clone, Debug)]
pub struct Operation {
    /// Its stable name.
    pub id: String,
    /// In capitals.
    pub method: String,
    /// With `{names}` where a parameter stands.
    pub path: String,
    /// What it does, in a few words.
    pub summary: String,
    /// What else to know.
    pub description: String,
    /// Must one be signed in?
    pub needs_token: bool,
    /// What stands in its path and query.
    pub parameters: Vec<Field>,
    /// The media types it takes a body in, the usual one first.
    pub kinds: Vec<String>,
    /// The fields of its body.
    pub fields: Vec<Field>,
    /// A body as JSON; empty where it takes none.
    pub body: String,
    /// What may come back, by status.
    pub answers: Vec<ResponseDoc>,
}

/// A parameter, or a field of a body or a frame.
#[derive(Clone, Debug)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Is it part of the path?
    pub in_path: bool,
    /// What it may be: type and limits.
    pub kind: String,
    /// Must it be there?
    pub is_required: bool,
    /// What it means.
    pub description: String,
    /// A good value, as one would type it.
    pub example: String,
    /// The values there are, where there are few.
    pub choices: Vec<String>,
}

/// What may come back.
#[derive(Clone, Debug)]
pub struct ResponseDoc {
    /// The status.
    pub status: String,
    /// What it means.
    pub description: String,
    /// Names of the headers that it bears.
    pub headers: Vec<String>,
    /// Bodies, each with its name; no name where there is only one.
    pub examples: Vec<(String, String)>,
}

/// A socket.
#[derive(Clone, Debug)]
pub struct Socket {
    /// Its path.
    pub path: String,
    /// What it is for.
    pub summary: String,
    /// What else to know.
    pub description: String,
    /// What stands in its path and query.
    pub parameters: Vec<Field>,
    /// What a client may send.
    pub send: Vec<Frame>,
    /// What it may receive.
    pub receive: Vec<Frame>,
    /// The codes that it is closed with, and why.
    pub closes: Vec<(String, String)>,
}

/// A frame.
#[derive(Clone, Debug)]
pub struct Frame {
    /// Its `type`.
    pub name: String,
    /// What it says.
    pub description: String,
    /// It as JSON.
    pub example: String,
}
