"""Public ids and secrets: how they look, and the hash under which a secret is kept.

A secret says by its prefix what it is, so that a person, a log filter or a secret scanner
recognises it. The rest has 256 random bits.
"""

import hashlib
import secrets

PREFIXES = {
    "client_live": "pcl_",
    "client_test": "pct_",
    "client_secret": "pcs_",
    "code": "pco_",
    "access_token": "pat_",
    "refresh_token": "prt_",
    "pushed_request": "urn:ietf:params:oauth:request_uri:",
    "personal_key": "pkp_",
    "organization_key": "pko_",
}
_ID_BYTES = 12


def new_public_id(prefix: str) -> str:
    """An id for addresses and partners, such as `inst_3f9a…`. It tells and guards nothing."""
    return f"{prefix}_{secrets.token_hex(_ID_BYTES)}"


def new_secret(kind: str) -> str:
    """A new secret of a kind named in PREFIXES."""
    return PREFIXES[kind] + secrets.token_urlsafe(32)


def hash_secret(secret: str) -> str:
    """The SHA-256 hex digest under which a secret is kept and found.

    Looking a hash up in an index leaks no more of a secret by its timing than of a random number.
    """
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def hint_of(secret: str) -> str:
    """The last four characters, by which a person tells two secrets apart."""
    return secret[-4:]
