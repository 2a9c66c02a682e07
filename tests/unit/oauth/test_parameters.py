"""Parameters: once each, short, printable."""

import pytest
from authlib.oauth2.rfc6749 import InvalidRequestError

from marketplace.installs.oauth.parameters import (
    from_pairs,
    is_printable,
    refuse_repeated,
    scope_names,
)


@pytest.mark.parametrize(
    ("scope", "names"),
    [
        (None, ()),
        ("", ()),
        (" ", ()),
        ("a", ("a",)),
        ("b a", ("b", "a")),
        ("a  b ", ("a", "b")),
        ("a b a", ("a", "b")),
        ("a\tb", ("a\tb",)),
    ],
)
def test_scopes_are_parted_by_spaces(scope: str | None, names: tuple[str, ...]) -> None:
    assert scope_names(scope) == names


@pytest.mark.parametrize(
    "pairs",
    [
        [("a", "1"), ("a", "1")],
        [("a", "1"), ("b", "2"), ("a", "")],
        [("a", "x" * 2_001)],
        [(f"p{number}", "x") for number in range(41)],
    ],
)
def test_repeated_long_and_many_parameters_are_refused(pairs: list[tuple[str, str]]) -> None:
    with pytest.raises(InvalidRequestError):
        refuse_repeated(from_pairs(pairs))


def test_ordinary_parameters_pass() -> None:
    refuse_repeated(from_pairs([("a", "1"), ("b", "x" * 2_000), ("c", "")]))


@pytest.mark.parametrize(
    ("text", "printable"),
    [("", True), ("a ~!", True), ("a\n", False), ("\x00", False), ("\x7f", False), ("é", False)],
)
def test_printable_is_ascii_without_control_characters(text: str, printable: bool) -> None:
    assert is_printable(text) is printable
