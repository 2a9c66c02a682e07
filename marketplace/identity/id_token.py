"""Whether an ID token proves who signed in: its signature, issuer, audience, nonce and times.

Rules: OpenID Connect Core 1.0, section 3.1.3.7; for Microsoft's shared issuers the identity
platform's documentation, "Validate the issuer" and "Validate the signing key issuer".
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import BadSignatureError, InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

LEEWAY_SECONDS = 60
# Signatures by a key that only the provider has. `none` and the shared-secret HS algorithms are
# never taken, whatever a provider's metadata or a token's header says.
ALGORITHMS = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}
    | {"ES256", "ES384", "ES512", "EdDSA", "Ed25519"}
)
TENANT = "{tenantid}"
_GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


class TokenRefusedError(Exception):
    """The token proves nothing. The message is for the log."""


class UnknownKeyError(TokenRefusedError):
    """The signature fits none of the known keys; fetching the keys again may help."""


def allowed_algorithms(announced: object) -> list[str]:
    """Which of the announced signing algorithms we take; RS256 when none is announced."""
    if not isinstance(announced, list):
        return ["RS256"]
    return [name for name in announced if isinstance(name, str) and name in ALGORITHMS]


def expected_issuer(issuer: str, tenant: object) -> str:
    """The exact `iss` of a token, for an issuer that may have a place for the tenant's id.

    Raises TokenRefusedError when the place is to be filled by something that is not a GUID.
    """
    if TENANT not in issuer:
        return issuer
    if not isinstance(tenant, str) or _GUID.fullmatch(tenant) is None:
        raise TokenRefusedError("the tenant is missing or is not a GUID")
    return issuer.replace(TENANT, tenant)


def read_id_token(
    token: object,
    *,
    keys: Mapping[str, Any],
    algorithms: list[str],
    issuer: str,
    client_id: str,
    nonce: str,
    access_token: str | None,
    now: datetime,
) -> dict[str, Any]:
    """The claims of a valid ID token.

    `keys` is the provider's JWK set, `issuer` may hold `{tenantid}`. Raises UnknownKeyError when
    the signature fits no key and TokenRefusedError for everything else that is wrong.
    """
    if not isinstance(token, str):
        raise TokenRefusedError("there is no ID token")
    if not algorithms:
        raise TokenRefusedError("the provider offers no signing algorithm that we take")
    try:
        key_set = KeySet.import_key_set({"keys": _signing_keys(keys)})
        decoded = jwt.decode(token, key_set, algorithms=algorithms)
    except (BadSignatureError, InvalidKeyIdError) as error:
        raise UnknownKeyError(f"signature: {type(error).__name__}") from error
    except (JoseError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise TokenRefusedError(f"decoding: {type(error).__name__}: {error}") from error
    claims = decoded.claims
    if not isinstance(claims, dict):
        raise TokenRefusedError("the claims are not an object")
    exact_issuer = expected_issuer(issuer, claims.get("tid"))
    if TENANT in issuer:
        _check_key_issuer(keys, decoded.header.get("kid"), claims.get("tid"), exact_issuer)
    options = {
        "iss": {"essential": True, "value": exact_issuer},
        "aud": {"essential": True, "value": client_id},
        "sub": {"essential": True},
        "exp": {"essential": True},
        "iat": {"essential": True},
        "nonce": {"essential": True, "value": nonce},
    }
    params = {"nonce": nonce, "client_id": client_id, "access_token": access_token}
    checked = CodeIDToken(claims, decoded.header, options, params)
    try:
        checked.validate(now=int(now.timestamp()), leeway=LEEWAY_SECONDS)
    except (JoseError, ValueError, TypeError) as error:
        raise TokenRefusedError(f"claims: {error}") from error
    # Authlib passes a list of audiences that has ours among others when azp names us: we take
    # tokens for us alone.
    if claims["aud"] not in (client_id, [client_id]):
        raise TokenRefusedError("the token has other audiences too")
    if claims["iss"] != exact_issuer or claims.get("nonce") != nonce:
        raise TokenRefusedError("issuer or nonce differ")
    subject = claims["sub"]
    if not isinstance(subject, str) or not 0 < len(subject) <= 255:
        raise TokenRefusedError("the subject is not usable")
    return dict(claims)


def _signing_keys(keys: Mapping[str, Any]) -> list[Any]:
    """The set's public signing keys; a shared-secret key has no place in a published set."""
    found = keys.get("keys")
    if not isinstance(found, list):
        raise TokenRefusedError("the key set has no keys")
    usable = [
        key
        for key in found
        if isinstance(key, dict)
        and key.get("kty") in {"RSA", "EC", "OKP"}
        and key.get("use", "sig") == "sig"
    ]
    if not usable:
        raise TokenRefusedError("the key set has no signing keys")
    return usable


def _check_key_issuer(
    keys: Mapping[str, Any], key_id: object, tenant: object, exact_issuer: str
) -> None:
    for key in _signing_keys(keys):
        if key.get("kid") == key_id and isinstance(key.get("issuer"), str):
            if expected_issuer(key["issuer"], tenant) != exact_issuer:
                raise TokenRefusedError("the signing key belongs to another tenant")
