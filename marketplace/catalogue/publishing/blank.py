"""What counts as nothing having been entered. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any


def is_blank(value: Any) -> bool:
    """Whether a value of a content says nothing: missing, empty, spaces, or made of such parts."""
    if value is None:
        return True
    if isinstance(value, str):
        return not value.strip()
    if isinstance(value, Mapping):
        return all(is_blank(part) for part in value.values())
    if isinstance(value, Sequence):
        return all(is_blank(part) for part in value)
    return False
