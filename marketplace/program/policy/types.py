"""The types of partners of the policy in force, for everybody who names them."""

from collections.abc import Mapping

from flask import has_app_context

from marketplace.program.policy.live import current_policy


def offered_types() -> Mapping[str, str] | None:
    """Keys and names in the policy's order; None without a policy."""
    # Without an application there is no database to ask.
    live = current_policy() if has_app_context() else None
    return None if live is None else {each.key: each.name for each in live.policy.types}
