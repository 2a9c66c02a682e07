"""The program's tiers, as forms offer them and pages name them."""

from collections.abc import Iterable

from marketplace.program.policy.live import current_policy


def tier_names() -> dict[str, str]:
    """The names of the tiers of the policy in force by their keys, from the lowest to the
    highest; empty while there is no policy."""
    live = current_policy()
    return {tier.key: tier.name for tier in live.policy.tiers} if live is not None else {}


def tier_choices(kept: Iterable[str] = ()) -> list[tuple[str, str]]:
    """(key, name) of what can be chosen: the tiers in force, and those that were chosen before and
    that the policy has no more."""
    names = tier_names()
    gone = [(key, f"{key} (no longer a tier)") for key in kept if key and key not in names]
    return [*names.items(), *gone]
