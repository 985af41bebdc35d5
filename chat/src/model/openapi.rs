//! OpenAPI schemas of the types with hand-written serialisation. The others derive theirs.

use utoipa::{
    PartialSchema, ToSchema,
    openapi::{KnownFormat, ObjectBuilder, RefOr, Schema, SchemaFormat, Type},
};

use super::{
    id::{MAX_ID, MessageId, NotificationId, RoomId, UserId},
    timestamp::Timestamp,
};

macro_rules! ids {
    ($($id:ident: $description:literal),*) => {
        $(
            impl PartialSchema for $id {
                fn schema() -> RefOr<Schema> {
                    id($description)
                }
            }

            impl ToSchema for $id {}
        )*
    };
}

ids! {
    UserId: "A user's id.",
    RoomId: "A room's id.",
    MessageId: "A message's id: unique in the whole system, increasing within a room.",
    NotificationId: "A notification's id."
}

fn id(description: &str) -> RefOr<Schema> {
    let integer = ObjectBuilder::new().schema_type(Type::Integer);
    integer.minimum(Some(1)).maximum(Some(MAX_ID)).description(Some(description)).into()
}

impl PartialSchema for Timestamp {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .pattern(Some(r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}Z$"))
            .description(Some("RFC 3339, in UTC, with six digits of a second."))
            .examples(["2026-01-25T15:30:00.123456Z"])
            .into()
    }
}

impl ToSchema for Timestamp {}
