"""Secrets that must be read again, such as those that sign webhooks, encrypted at rest.

The keys come from SECRET_KEY and SECRET_KEY_PREVIOUS, each for this use alone (HKDF, RFC 5869).
After SECRET_KEY was exchanged, what the previous one sealed can still be read; `reseal` moves it.
"""

import base64

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_PURPOSE = b"portico sealing 1"
_configured: list[MultiFernet] = []


class SealBrokenError(ValueError):
    """The token was changed, or sealed by a key that we do not have."""


def configure_sealing(secret_key: str, previous: str | None = None) -> None:
    """Choose this process's keys: new tokens are sealed by the first, all are tried to unseal."""
    keys = [secret_key, *([previous] if previous else [])]
    _configured[:] = [MultiFernet([Fernet(_derive(key)) for key in keys])]


def seal(text: str) -> str:
    """`text` encrypted and authenticated, different at every call."""
    return _configured[0].encrypt(text.encode()).decode("ascii")


def unseal(token: str) -> str:
    """What was sealed. Raises SealBrokenError."""
    try:
        return _configured[0].decrypt(token.encode()).decode()
    except InvalidToken:
        raise SealBrokenError("the seal is broken, or its key is gone") from None


def reseal(token: str) -> str:
    """The same secret sealed by the current key. Raises SealBrokenError."""
    try:
        return _configured[0].rotate(token.encode()).decode("ascii")
    except InvalidToken:
        raise SealBrokenError("the seal is broken, or its key is gone") from None


def _derive(secret: str) -> bytes:
    key = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=_PURPOSE).derive(
        secret.encode()
    )
    return base64.urlsafe_b64encode(key)
