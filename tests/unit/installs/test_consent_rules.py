"""What a consent changes, when an installation pauses, and the cap, as tables."""

import pytest

from marketplace.installs.customer.cap import is_reached
from marketplace.installs.customer.pauses import pause_cause
from marketplace.installs.customer.scope_changes import ScopeChanges, changes_of
from marketplace.installs.models import PauseCause

CUSTOMER, POLICY, ENTITLEMENT = PauseCause.CUSTOMER, PauseCause.POLICY, PauseCause.ENTITLEMENT


@pytest.mark.parametrize(
    ("granted", "asked", "listed", "expected"),
    [
        ((), ("a", "b"), ("a", "b"), ScopeChanges(("a", "b"), ("a", "b"), (), ())),
        # Fewer than are listed: no more than is asked is granted.
        ((), ("b",), ("a", "b"), ScopeChanges(("b",), ("b",), (), ())),
        (("a",), ("a", "b"), ("a", "b"), ScopeChanges(("a", "b"), ("b",), ("a",), ())),
        # The order is the page's; what is granted and listed stays though nobody asks.
        (
            ("b", "a"),
            ("c",),
            ("a", "b", "c"),
            ScopeChanges(("a", "b", "c"), ("c",), ("a", "b"), ()),
        ),
        # What is listed no more goes with the next consent.
        (("a", "x"), ("b",), ("a", "b"), ScopeChanges(("a", "b"), ("b",), ("a",), ("x",))),
        (("x",), (), (), ScopeChanges((), (), (), ("x",))),
        ((), (), (), ScopeChanges((), (), (), ())),
    ],
)
def test_what_a_consent_changes(
    granted: tuple[str, ...],
    asked: tuple[str, ...],
    listed: tuple[str, ...],
    expected: ScopeChanges,
) -> None:
    assert changes_of(granted, asked, listed) == expected


@pytest.mark.parametrize(
    ("current", "blocked", "entitled", "expected"),
    [
        (None, False, True, None),
        (None, True, True, POLICY),
        (None, False, False, ENTITLEMENT),
        (None, True, False, POLICY),
        (POLICY, True, True, POLICY),
        (POLICY, False, True, None),
        (POLICY, False, False, ENTITLEMENT),
        (ENTITLEMENT, False, True, None),
        (ENTITLEMENT, True, True, POLICY),
        (CUSTOMER, False, True, CUSTOMER),
        (CUSTOMER, True, False, CUSTOMER),
    ],
)
def test_why_an_installation_is_paused(
    current: PauseCause | None, blocked: bool, entitled: bool, expected: PauseCause | None
) -> None:
    assert pause_cause(current, is_blocked=blocked, is_entitled=entitled) is expected


@pytest.mark.parametrize(
    ("installed", "cap", "certified", "reached"),
    [
        (24, 25, False, False),
        (25, 25, False, True),
        (26, 25, False, True),
        (99, 25, True, False),
        (0, 0, False, True),
    ],
)
def test_the_cap(installed: int, cap: int, certified: bool, reached: bool) -> None:
    assert is_reached(installed, cap, is_certified=certified) is reached
