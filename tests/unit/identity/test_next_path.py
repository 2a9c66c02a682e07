"""Where a sign-in may lead."""

import pytest

from marketplace.identity.next_path import MAX_LENGTH, local_path


@pytest.mark.parametrize("path", ["/", "/account", "/search?q=a%20b&page=2", "/a/b#c", "/a?u=//b"])
def test_paths_of_this_site_are_kept(path: str) -> None:
    assert local_path(path) == path


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "account",
        "https://evil.example/",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\/evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        " //evil.example",
        "/%0d\r\nSet-Cookie: a=b",
        "javascript:alert(1)",
        "data:text/html,x",
        "http:/evil.example",
        "/auth/acme/login",
        "/" + "x" * MAX_LENGTH,
        "//[",
    ],
)
def test_everything_else_becomes_the_default(value: str | None) -> None:
    assert local_path(value, "/home") == "/home"
