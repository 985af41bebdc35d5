//! The content of the reference page.

#[derive(Clone, Debug, Default)]
pub struct Reference {
    /// Introduction; may have paragraphs, lists and code spans.
    pub about: String,
    pub groups: Vec<Group>,
    pub sockets: Vec<Socket>,
}

/// Operations with the same tag.
#[derive(Clone, Debug)]
pub struct Group {
    pub name: String,
    pub title: String,
    pub operations: Vec<Operation>,
}

#[derive(Clone, Debug)]
pub struct Operation {
    pub id: String,
    /// In capitals.
    pub method: String,
    /// With `{names}` for parameters.
    pub path: String,
    /// What it does, in a few words.
    pub summary: String,
    pub description: String,
    pub needs_token: bool,
    /// Parameters in path and query.
    pub parameters: Vec<Field>,
    /// Media types of the request body, the default one first.
    pub kinds: Vec<String>,
    pub fields: Vec<Field>,
    /// Example body as JSON; empty where there is none.
    pub body: String,
    /// Responses by status.
    pub answers: Vec<ResponseDoc>,
}

/// A parameter, or a field of a body or a frame.
#[derive(Clone, Debug)]
pub struct Field {
    pub name: String,
    /// Whether it is part of the path and not of the query.
    pub in_path: bool,
    /// Type and limits.
    pub kind: String,
    pub is_required: bool,
    pub description: String,
    /// An example value.
    pub example: String,
    /// The allowed values of an enumeration.
    pub choices: Vec<String>,
}

#[derive(Clone, Debug)]
pub struct ResponseDoc {
    pub status: String,
    pub description: String,
    /// Names of the response's headers.
    pub headers: Vec<String>,
    /// Example bodies with their names; the name is empty where there is only one.
    pub examples: Vec<(String, String)>,
}

#[derive(Clone, Debug)]
pub struct Socket {
    pub path: String,
    pub summary: String,
    pub description: String,
    /// Parameters in path and query.
    pub parameters: Vec<Field>,
    pub send: Vec<Frame>,
    pub receive: Vec<Frame>,
    /// Close codes with their meaning.
    pub closes: Vec<(String, String)>,
}

#[derive(Clone, Debug)]
pub struct Frame {
    /// Its `type`.
    pub name: String,
    pub description: String,
    pub example: String,
}
