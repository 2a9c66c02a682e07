"""Reading signed tokens that strangers hand us: bounded, and nothing of them is trusted before
its signature is."""

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import ParseError

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import import_key

MOST_CHARACTERS = 64_000
# Signatures by a key that only the issuer has; `none` and shared secrets are never taken.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA", "Ed25519")
_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_OPEN_BADGES = "{https://purl.imsglobal.org/ob/v3p0}credential"
_PRIVATE_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


class UnreadableTokenError(ValueError):
    """The text is not a token. The message is for the person who pasted it."""


class BadSignatureError(ValueError):
    """The signature is not by that key, or what it covers was changed."""


@dataclass(frozen=True)
class Unverified:
    """A token that was taken apart and not yet believed."""

    text: str
    header: dict[str, Any]
    claims: dict[str, Any]

    @property
    def issuer(self) -> str:
        """Who it says has issued it; empty when it does not say."""
        found = self.claims.get("iss")
        return found if isinstance(found, str) else ""

    @property
    def kid(self) -> str:
        """The address of the key that it says signed it; empty when it does not say."""
        found = self.header.get("kid")
        return found if isinstance(found, str) else ""


def read_token(text: str) -> Unverified:
    """Take apart a compact JWT, or a badge (SVG) that one is baked into.

    Raises UnreadableTokenError.
    """
    if len(text) > MOST_CHARACTERS:
        raise UnreadableTokenError("This is longer than any credential.")
    token = text.strip()
    if token.startswith("<"):
        token = _baked_in(token)
    token = "".join(token.split())
    if _COMPACT.fullmatch(token) is None:
        raise UnreadableTokenError(
            "This is not a signed credential. It is three parts of letters and digits with dots "
            "between them."
        )
    head, body, _signature = token.split(".")
    return Unverified(token, _part(head), _part(body))


def verified_claims(token: Unverified, jwk: Mapping[str, Any]) -> dict[str, Any]:
    """The claims, when the key signed them. Raises BadSignatureError."""
    algorithm = token.header.get("alg")
    if algorithm not in ALGORITHMS or "crit" in token.header:
        raise BadSignatureError("It is signed in a way that proves nothing.")
    public = {name: value for name, value in jwk.items() if name not in _PRIVATE_MEMBERS}
    if public.get("kty") not in {"RSA", "EC", "OKP"}:
        raise BadSignatureError("The key is of a kind that proves nothing.")
    public.pop("use", None)
    public.pop("key_ops", None)
    try:
        key = import_key(public)
        claims = jwt.decode(token.text, key, algorithms=[algorithm]).claims
    except (JoseError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise BadSignatureError("The signature does not fit.") from error
    if not isinstance(claims, dict):
        raise BadSignatureError("What is signed is not a credential.")
    return dict(claims)


def thumbprint_of(jwk: Mapping[str, Any]) -> str:
    """The thumbprint (RFC 7638) of a public key; empty for what is no key."""
    public = {name: value for name, value in jwk.items() if name not in _PRIVATE_MEMBERS}
    if public.get("kty") not in {"RSA", "EC", "OKP"}:
        return ""
    try:
        return str(import_key(public).thumbprint())
    except (JoseError, ValueError, TypeError, KeyError):
        return ""


def _baked_in(text: str) -> str:
    try:
        root = ElementTree.fromstring(text)
    except (ParseError, DefusedXmlException, ValueError, RecursionError):
        raise UnreadableTokenError("This image cannot be read.") from None
    found = next(root.iter(_OPEN_BADGES), None)
    token = found.get("verify") if found is not None else None
    if not token:
        raise UnreadableTokenError("No credential is baked into this image.")
    return str(token)


def _part(encoded: str) -> dict[str, Any]:
    try:
        found = json.loads(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)))
        # Half a character (a lone surrogate) can be written in JSON, but neither kept nor shown.
        json.dumps(found, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise UnreadableTokenError("This is not a signed credential.") from None
    if not isinstance(found, dict):
        raise UnreadableTokenError("This is not a signed credential.")
    return found
