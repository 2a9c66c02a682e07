"""The types of partners of the policy in force, for everybody who names them."""

from collections.abc import Mapping

from flask import has_app_context

from marketplace.program.policy.live import current_policy


def offered_types() -> Mapping[str, str] | None:
    """Keys and names in the policy's order; None without a policy."""
    return _types(only_open=False)


def open_types() -> Mapping[str, str] | None:
    """The same of those that take new partners."""
    return _types(only_open=True)


def _types(*, only_open: bool) -> Mapping[str, str] | None:
    # Without an application there is no database to ask.
    live = current_policy() if has_app_context() else None
    if live is None:
        return None
    return {each.key: each.name for each in live.policy.types if each.is_open or not only_open}
