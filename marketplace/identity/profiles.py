"""What a sign-in provider says about a person, and how far it is believed."""

import re
import unicodedata
from dataclasses import dataclass
from typing import Any

from email_validator import EmailNotValidError, validate_email

MAX_SUBJECT = 255
MAX_NAME = 120


@dataclass(frozen=True)
class Profile:
    """An account at a provider. `email` is lower case; only trust it when `email_verified`."""

    provider: str
    issuer: str
    subject: str
    name: str
    email: str | None
    email_verified: bool
    # The provider says that two factors were used, and that the person signed in just now.
    second_factor: bool = False
    just_now: bool = False


def clean_email(value: object) -> str | None:
    """The address in the form we compare and store (lower case), None when it is not one."""
    if not isinstance(value, str):
        return None
    try:
        checked = validate_email(
            value.strip(), check_deliverability=False, allow_smtputf8=False, strict=True
        )
    except EmailNotValidError:
        # A local mail host (`ada@harbor.test`) is an address too, just not a public one.
        if (
            re.fullmatch(r"[a-z0-9_.+-]{1,64}@[a-z0-9-]+(\.[a-z0-9-]+)+", value.strip().lower())
            is None
        ):
            return None
        return value.strip().lower()[:254]
    return (checked.ascii_email or checked.normalized).lower()[:254]


def clean_name(*candidates: object) -> str:
    """The first candidate that holds something to read, in one line, or `New member`."""
    for value in candidates:
        if not isinstance(value, str):
            continue
        kept = "".join(c if unicodedata.category(c)[0] != "C" else " " for c in value)
        name = " ".join(kept.split())[:MAX_NAME].strip()
        if name:
            return name
    return "New member"


def is_verified(claim: object) -> bool:
    """Whether an `email_verified` claim says yes. Some providers send the word instead of true."""
    return claim is True or claim == "true"


def profile_of_claims(
    provider: str, issuer: str, claims: dict[str, Any], *, trust_email_claim: bool
) -> Profile:
    """The profile in the claims of an ID token and of userinfo.

    `trust_email_claim`: whether the provider's `email_verified` means what OpenID Connect says.
    Microsoft's shared issuers let a tenant's administrator put any address there, and tell the
    checked ones by `xms_edov` instead.
    """
    email = clean_email(claims.get("email"))
    if trust_email_claim:
        verified = is_verified(claims.get("email_verified"))
    else:
        verified = claims.get("xms_edov") in (True, 1, "1", "true")
    return Profile(
        provider=provider,
        issuer=issuer,
        subject=str(claims["sub"]),
        name=clean_name(
            claims.get("name"),
            claims.get("given_name"),
            claims.get("preferred_username"),
            email.split("@")[0] if email else None,
        ),
        email=email,
        email_verified=verified and email is not None,
    )
