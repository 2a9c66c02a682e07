"""What a listing asks for beyond what was granted, decided purely."""

from collections.abc import Collection, Mapping
from typing import Any

from marketplace.installs.customer.asking import reasons_in


def wanted_beyond(granted: Collection[str], content: Mapping[str, Any]) -> list[str]:
    """The scopes that the content names and the installation does not hold, in its order."""
    return [name for name in reasons_in(content) if name not in granted]


def dropped_since(granted: Collection[str], content: Mapping[str, Any]) -> list[str]:
    """The scopes that the installation holds and the content names no more."""
    named = reasons_in(content)
    return [name for name in granted if name not in named]


def is_news(wanted: Collection[str], told: Collection[str]) -> bool:
    """Whether admins must be told: something is wanted that they have not been told of yet."""
    return bool(set(wanted) - set(told))
