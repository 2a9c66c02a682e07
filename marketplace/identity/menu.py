"""What other domains add to the menu of the account pages; wiring.py says who does."""

from collections.abc import Callable

from marketplace.core.permissions import MembershipInfo

# The organization's id; how many things wait there for its owners and admins. One cheap query.
Counter = Callable[[int], int]
_counters: list[Counter] = []


def count_beside_apps(*counters: Counter) -> None:
    """Show the sum of what the counters find beside "Apps"."""
    _counters[:] = counters


def waiting_apps(organization: MembershipInfo) -> int:
    """How much waits for the owners and admins of an organization among its apps."""
    return sum(count(organization.organization_id) for count in _counters)
