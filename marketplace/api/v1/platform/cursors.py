"""Cursors: the place in a list, as a text that means nothing to its reader.

A row's number, encrypted as one block together with a mark of the list and of whose list it is.
So a cursor neither tells how many rows there are, nor can be made up, nor used elsewhere.
"""

import base64
import hashlib
from functools import lru_cache

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from flask import current_app

from marketplace.config import Settings
from marketplace.core.errors import InvalidError

LENGTH = 22
MOST = 2**63 - 1


def write_cursor(kind: str, owner: str, number: int) -> str:
    """The cursor behind row `number` of the list `kind` of `owner`."""
    block = number.to_bytes(8, "big") + _mark(kind, owner)
    encryptor = _cipher(_keys()[0]).encryptor()
    return base64.urlsafe_b64encode(encryptor.update(block)).rstrip(b"=").decode()


def read_cursor(kind: str, owner: str, cursor: str) -> int:
    """The row's number. Raises InvalidError (field after) for what is not a cursor of this list."""
    try:
        block = base64.b64decode(cursor + "==", altchars=b"-_", validate=True)
    except ValueError:
        block = b""
    if len(cursor) == LENGTH and len(block) == 16:
        for key in _keys():
            plain = _cipher(key).decryptor().update(block)
            number = int.from_bytes(plain[:8], "big")
            if plain[8:] == _mark(kind, owner) and number <= MOST:
                return number
    raise InvalidError({"after": "This is no cursor of this list. Begin without one."})


@lru_cache(maxsize=1024)
def _mark(kind: str, owner: str) -> bytes:
    return hashlib.sha256(f"{kind}\n{owner}".encode()).digest()[:8]


@lru_cache(maxsize=4)
def _cipher(key: bytes) -> Cipher[modes.ECB]:
    # A single block, half of which is a fixed mark: there is nothing that could repeat.
    return Cipher(algorithms.AES(key), modes.ECB())  # noqa: S305 - one block, see above


def _keys() -> list[bytes]:
    settings: Settings = current_app.extensions["portico_settings"]
    secrets = [settings.secret_key, settings.secret_key_previous]
    return [_derive(secret) for secret in secrets if secret]


@lru_cache(maxsize=4)
def _derive(secret: str) -> bytes:
    return hashlib.sha256(f"api cursors\n{secret}".encode()).digest()
