"""How a token looks: sixteen letters and digits in four groups, none of them easily mistaken."""

import hashlib
import re
import secrets

# No 0 and O, no 1, I and L.
ALPHABET = "ABCDEFGHJKMNPQRSTUVWXYZ23456789"
LENGTH = 16


def new_token() -> str:
    """A new token, like `ABCD-EFGH-JKMN-PQRS`: 79 random bits."""
    text = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
    return "-".join(text[start : start + 4] for start in range(0, LENGTH, 4))


def tidy_token(typed: str) -> str:
    """What was typed without spaces and hyphens, in capitals; empty when it can be no token."""
    text = re.sub(r"[\s\-–—]", "", typed[:200]).upper()
    return text if len(text) == LENGTH and set(text) <= set(ALPHABET) else ""


def hash_of(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(tidy_token(token).encode()).hexdigest()
