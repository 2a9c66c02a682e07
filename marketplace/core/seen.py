"""What a reviewer was shown: a decision is about that, and about nothing that came later."""

import hashlib
import json
from collections.abc import Iterable

from marketplace.core.errors import ConflictError


class ChangedMeanwhileError(ConflictError):
    """What is decided about is not what was shown."""

    title = "It was changed meanwhile"


def digest_of(values: Iterable[object]) -> str:
    """A short name for what was shown: the same values, in the same order, have the same."""
    words = json.dumps([None if each is None else str(each) for each in values])
    return hashlib.sha256(words.encode()).hexdigest()[:32]


def check_seen(seen: str | None, shown: str) -> None:
    """Raise ChangedMeanwhileError unless what was seen is what is shown now. None: nobody looked
    at a page, and it is meant as it is."""
    if seen is not None and seen != shown:
        raise ChangedMeanwhileError(
            "The partner has changed it since you opened this page. Look at it again before you "
            "decide."
        )
