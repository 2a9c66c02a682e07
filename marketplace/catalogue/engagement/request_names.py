"""When two people ask for the same thing: the key under which a request's name is kept once."""

import unicodedata

MAX_NAME = 80
# Words that say nothing about which product is meant.
_GENERIC = frozenset(
    {"a", "an", "and", "app", "connector", "for", "integration", "integrations", "plugin", "the"}
)


def name_key(name: str) -> str:
    """Letters and digits of `name` (and `+` and `#`, for C++ and C#), case-folded, without accents
    and without words such as "integration" unless nothing else is left; at most 80 characters.

    "Hub-Spot integration" and "hubspot" have one key. Empty when nothing can be told apart.
    """
    folded = unicodedata.normalize("NFKD", name).casefold()
    plain = "".join(c for c in folded if not unicodedata.combining(c))
    words = plain.split()
    telling = [word for word in words if word.strip(".,:;!?()") not in _GENERIC]
    for chosen in (telling, words):
        key = "".join(c for word in chosen for c in word if c.isalnum() or c in "+#")
        if any(c.isalnum() for c in key):
            return key[:MAX_NAME]
    return ""
