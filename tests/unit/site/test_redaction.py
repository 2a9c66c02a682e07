"""What staff see of an error: never an address or a secret."""

import pytest

from marketplace.site.redaction import redacted


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (None, ""),
        ("", ""),
        ("ValueError: no such listing 12", "ValueError: no such listing 12"),
        ("refused for ada.o+x@people.example: full", "refused for [address]: full"),
        ("redis://:s3cret@cache:6379/0 is gone", "redis://[hidden]@cache:6379/0 is gone"),
        (
            "postgresql+psycopg://portico:pw@db/portico failed",
            "postgresql+psycopg://[hidden]@db/portico failed",
        ),
        (
            "GET https://api.example/x?token=abc&y=1 gave 500",
            "GET https://api.example/x?[hidden] gave 500",
        ),
        ("Cookie: a=b; c=d", "Cookie: [hidden]"),
        ("Authorization: Bearer abc.def-ghi", "Authorization: [hidden]"),
        ("api_key=abc, next", "api_key=[hidden], next"),
        ("{'password': 'hunter2', 'a': 1}", "{'password': [hidden], 'a': 1}"),
        ("token k4Zq81xWv0Lm7Pt29sYc3RbN6 was refused", "token [hidden] was refused"),
        ("call +49 170 123 45 67 back", "call [number] back"),
        ("line one\n  line two", "line one line two"),
    ],
)
def test_addresses_and_secrets_are_taken_out(text: str | None, shown: str) -> None:
    assert redacted(text) == shown


def test_a_long_error_is_cut() -> None:
    assert len(redacted("word " * 1_000)) == 500
