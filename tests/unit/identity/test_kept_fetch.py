"""What is fetched from a provider is kept, and its failures are not waited for one by one."""

from typing import Any

import pytest

from marketplace.identity import oidc
from marketplace.identity.oidc import KeptFetch
from marketplace.identity.provider_http import ProviderUnavailableError


class Source:
    """Answers with its number of calls, or fails."""

    def __init__(self) -> None:
        self.calls = 0
        self.is_down = False

    def __call__(self) -> dict[str, Any]:
        self.calls += 1
        if self.is_down:
            raise ProviderUnavailableError("down")
        return {"call": self.calls}


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The monotonic clock, in its only element."""
    at = [1000.0]
    monkeypatch.setattr(oidc.time, "monotonic", lambda: at[0])
    return at


def test_a_value_is_kept_for_as_long_as_is_asked(seconds: list[float]) -> None:
    source, kept = Source(), KeptFetch()
    assert [kept.get(source, keep=60)["call"] for _ in range(3)] == [1, 1, 1]
    seconds[0] += 61
    assert kept.get(source, keep=60) == {"call": 2}


def test_a_failure_is_told_at_once_for_some_seconds_and_then_tried_again(
    seconds: list[float],
) -> None:
    source, kept = Source(), KeptFetch()
    source.is_down = True
    for _ in range(3):
        with pytest.raises(ProviderUnavailableError, match="down"):
            kept.get(source, keep=60)
    assert source.calls == 1
    source.is_down = False
    seconds[0] += oidc.KEEP_FAILURE_SECONDS
    assert kept.get(source, keep=60) == {"call": 2}
