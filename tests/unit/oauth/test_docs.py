"""What the docs promise is what the code does."""

from pathlib import Path

from marketplace.installs.oauth import issuing, pushed
from marketplace.installs.oauth.views import machines

TEXT = (Path(__file__).parents[3] / "docs" / "oauth.md").read_text()


def test_the_docs_name_the_lives_and_limits_that_hold() -> None:
    assert issuing.CODE_LIFE.total_seconds() == 60
    assert "| code | 60 seconds, once |" in TEXT
    assert issuing.ACCESS_LIFE.total_seconds() == 3600
    assert "| access token | 1 hour |" in TEXT
    assert f"| refresh token | {issuing.REFRESH_LIFE.days} days, once |" in TEXT
    assert f"| `request_uri` | {pushed.PUSHED_LIFE.seconds} seconds, once |" in TEXT
    assert f"{machines.FAILURES.split()[0]} failed authentications" in TEXT
    assert f"{machines.TOKEN_REQUESTS.split()[0]} token requests" in TEXT


def test_the_docs_name_every_endpoint() -> None:
    for path in ("authorize", "par", "token", "revoke", "introspect"):
        assert f"| `/oauth/{path}` |" in TEXT
