"""Entries as they are compared, their keyed hashes, and signed receipts. Pure."""

import hashlib
import hmac
import json
from collections.abc import Iterable
from typing import Any

from marketplace.pipeline.leads.normalizing import normal_domain, normal_email
from marketplace.program.onboarding.domains import is_free_mail

# A short list could ask for single customers.
FEWEST, MOST = 10, 20_000
# Where only counts are told, how many are shared is told by which of these it has reached: an exact
# number, or whether it is 0, would tell of single customers.
STEPS = (3, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000)
_RECEIPTS = b"portico account receipt 1"


def normal_entry(text: str) -> str:
    """One customer as it is compared: its domain; for free mail, the address. Empty: neither.

    >>> normal_entry("Ada@WWW.Blue-Kite.example")
    'blue-kite.example'
    """
    value = text.strip().strip('"').strip()
    domain = normal_domain(value)
    if is_free_mail(domain):
        return normal_email(value) if "@" in value else ""
    return domain


def read_entries(typed: str) -> tuple[dict[str, str], str]:
    """The distinct customers of a text, one a line (or between commas), by what they are compared
    by, and what is wrong (empty: nothing)."""
    found: dict[str, str] = {}
    for number, line in enumerate(typed.replace("\ufeff", "").splitlines(), 1):
        for part in line.replace(";", ",").replace("\t", ",").split(","):
            if not part.strip():
                continue
            entry = normal_entry(part)
            if not entry:
                return {}, f"Line {number}: “{part.strip()[:40]}” is no domain and no address."
            found.setdefault(entry, part.strip())
        if len(found) > MOST:
            return {}, f"At most {MOST:,} customers."
    return found, ""


def band_of(shared: int) -> tuple[int, int | None]:
    """The least and the most that is told of a number of shared customers; None: no upper end.

    >>> band_of(0), band_of(2), band_of(3), band_of(20_000)
    ((0, 2), (0, 2), (3, 9), (10000, None))
    """
    reached = [0, *(step for step in STEPS if step <= shared)]
    ahead = [step - 1 for step in STEPS if step > shared]
    return reached[-1], ahead[0] if ahead else None


def mac_of(key: bytes, entry: str) -> str:
    """The keyed hash of a normalised entry, as hex."""
    return hmac.new(key, entry.encode(), hashlib.sha256).hexdigest()


def list_digest(macs: Iterable[str]) -> str:
    """The digest of a whole list: the same customers, the same digest."""
    return hashlib.sha256("\n".join(sorted(macs)).encode()).hexdigest()


def sign(secret: str, body: dict[str, Any]) -> str:
    """The signature of a receipt's body under the installation's secret, as hex."""
    key = hmac.new(secret.encode(), _RECEIPTS, hashlib.sha256).digest()
    told = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hmac.new(key, told.encode(), hashlib.sha256).hexdigest()


def is_signed(secrets: Iterable[str], body: dict[str, Any], signature: str) -> bool:
    """Whether one of the secrets signed it."""
    return any(hmac.compare_digest(sign(secret, body), signature) for secret in secrets)
