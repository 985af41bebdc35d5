"""Supplies what schemathesis cannot read from the document: users and rooms, and values that only this server issues."""

import itertools
import os

import requests
import schemathesis
from hypothesis import strategies

BASE = os.environ["LIAO"]
PASSWORD = "correct-horse-9"
ROOMS = range(1, 6)
numbers = itertools.count()


def call(method, path, token=None, **body):
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer = requests.request(method, BASE + path, json=body or None, headers=headers, timeout=30)
    answer.raise_for_status()
    return answer.json()


def sign_in(username, password):
    return call("POST", "/api/token/", username=username, password=password)


def populate():
    """Creates users 2 and 3 and rooms 1 to 5 with messages, for `schemathesis.toml`. Returns a token of user 1, who makes
    the calls."""
    developer = sign_in("developer", "developer123")["access"]
    for name in ("anna", "ben"):
        call("POST", "/api/register/", username=name, password=PASSWORD)
    anna = sign_in("anna", PASSWORD)["access"]
    for room in ROOMS:
        call("POST", "/api/chat/rooms/", developer, name=f"房间 {room}", room_type="public")
        call("POST", f"/api/chat/rooms/{room}/members/", developer, username="anna")
        for author in (developer, anna):
            call("POST", f"/api/chat/rooms/{room}/messages/", author, content=f"你好 {room}")
    return developer


DEVELOPER = populate()
# Several, used in turn, since some are ended during the run.
tokens = itertools.cycle([sign_in("anna", PASSWORD)["refresh"] for _ in range(12)])

schemathesis.openapi.format("username", strategies.builds(lambda: f"user-{next(numbers)}"))
schemathesis.openapi.format("password", strategies.text("abcdefgh", min_size=8).map(lambda text: f"{PASSWORD} {text}"))
schemathesis.openapi.format("jwt", strategies.builds(lambda: next(tokens)))


def is_good(number, least=1):
    # 2.0 is a whole number to JSON Schema, and to the server.
    if isinstance(number, float) and number.is_integer():
        number = int(number)
    return str(number).isdigit() and least <= int(number) < 2**53


NUMBERS = {"max_members", "reply_to", "file_size", "page", "page_size", "before_id", "after_id"}
FLAGS = {"is_muted", "is_banned", "mine", "unread"}
FLAG_WORDS = {"t", "y", "yes", "true", "on", "1", "f", "n", "no", "false", "off", "0"}


def is_coerced(field, value):
    """Whether REST takes this for good data though the document calls it wrong, as Django REST Framework does."""
    if value in (None, ""):
        return True
    if field in FLAGS:
        return str(value).lower() in FLAG_WORDS
    if field in NUMBERS:
        return isinstance(value, str) and value.strip().lstrip("+-").split(".")[0].isdigit()
    return isinstance(value, (int, float)) and not isinstance(value, bool)


@schemathesis.hook
def filter_case(context, case):
    """Leaves out bad data that is good for clients of the Django system; src/tests/malformed tells it from what is not."""
    if case.meta is None or case.meta.generation.mode is not schemathesis.GenerationMode.NEGATIVE:
        return True
    body = case.body if isinstance(case.body, dict) else {}
    return not any(is_coerced(*field) for field in [*body.items(), *(case.query or {}).items()])


@schemathesis.hook
def before_call(context, case, kwargs):
    """Fixes data that OpenAPI cannot constrain: only one cursor at a time, a reply in the room of its message."""
    query, body = case.query or {}, case.body
    if is_good(query.get("before_id")) and is_good(query.get("after_id"), least=0):
        del query["after_id"]
    if isinstance(body, dict) and is_good(body.get("reply_to")):
        body["reply_to"] = 2 if case.path_parameters["id"] == 1 else None


@schemathesis.hook
def after_call(context, case, response):
    """Takes the caller out of a room that it deleted: the contract lets members read on, nobody else."""
    if case.operation.definition.raw.get("operationId") == "delete_room" and response.status_code == 204:
        call("POST", f"/api/chat/rooms/{case.path_parameters['id']}/leave/", DEVELOPER)
