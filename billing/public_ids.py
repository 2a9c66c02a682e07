"""Public ids of what is bought and paid: random, so that they do not tell how many there are."""

import secrets


def new_public_id(prefix: str) -> str:
    """A new id like ord_5b1f0c9e2d7a4468."""
    return f"{prefix}_{secrets.token_hex(12)}"
