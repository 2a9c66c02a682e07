"""What a listing asks for beyond what was agreed to, as a table."""

from typing import Any

import pytest

from marketplace.installs.customer.updates import (
    NOTHING_DECLINED,
    Declined,
    UpdateState,
    update_in,
)

READ = {"object": "Contacts", "direction": "read", "purpose": "To match"}
BOTH = {**READ, "direction": "two_way"}
OFFERED, DECLINED = UpdateState.OFFERED, UpdateState.DECLINED


def content(scopes: tuple[str, ...], *data: dict[str, str]) -> dict[str, Any]:
    return {"scopes": [{"scope": name} for name in scopes], "data_shared": list(data)}


@pytest.mark.parametrize(
    ("published", "declined", "is_allowed", "expected"),
    [
        (content(("a",), READ), NOTHING_DECLINED, True, None),
        (content((), {**READ, "purpose": "To sell"}), NOTHING_DECLINED, True, None),
        (content(("a", "b"), READ), NOTHING_DECLINED, True, (("b",), (), OFFERED)),
        (content(("a",), BOTH), NOTHING_DECLINED, True, ((), ("Contacts",), OFFERED)),
        (content(("a", "b")), Declined(frozenset("b")), True, (("b",), (), DECLINED)),
        (content(("a", "b", "c")), Declined(frozenset("b")), True, (("b", "c"), (), OFFERED)),
        (
            content(("b",), BOTH),
            Declined(frozenset("b")),
            True,
            (("b",), ("Contacts",), OFFERED),
        ),
        (
            content(("b",), BOTH),
            Declined(frozenset("b"), frozenset({("Contacts", "two_way")})),
            True,
            (("b",), ("Contacts",), DECLINED),
        ),
        (
            content(("b",)),
            Declined(frozenset("b")),
            False,
            (("b",), (), UpdateState.NOT_ALLOWED),
        ),
        ({"scopes": [None, {}], "data_shared": [None, "x"]}, NOTHING_DECLINED, True, None),
    ],
)
def test_what_an_update_is(
    published: dict[str, Any],
    declined: Declined,
    is_allowed: bool,
    expected: tuple[tuple[str, ...], tuple[str, ...], UpdateState] | None,
) -> None:
    agreed = content(("a",), READ)
    found = update_in(["a"], agreed, published, declined, is_allowed=is_allowed)
    said = None
    if found is not None:
        said = (found.scopes, tuple(part.name for part in found.data), found.state)
    assert said == expected


def test_what_was_never_said_is_not_held_against_anybody() -> None:
    assert update_in(["a"], {}, content(("a",), READ)) is None


def test_declines_add_up() -> None:
    declined = NOTHING_DECLINED.plus({"scopes": ["a"]}).plus({"data": [["Contacts", "read"]]})
    assert declined.covers(["a"], [("Contacts", "read")])
    assert not declined.covers(["a", "b"], [])
    assert not declined.covers([], [("Contacts", "two_way")])
