"""PKCE for every client, with S256 alone (RFC 7636, RFC 9700 section 2.1.1)."""

import hmac
import re
from typing import Any

from authlib.oauth2.rfc6749 import InvalidRequestError
from authlib.oauth2.rfc7636 import CodeChallenge, create_s256_code_challenge

# A SHA-256 digest in base64url has exactly this many characters.
_S256 = re.compile(r"[A-Za-z0-9_-]{43}")


def _matches(verifier: str, challenge: str) -> bool:
    return hmac.compare_digest(create_s256_code_challenge(verifier), challenge)


class S256Required(CodeChallenge):  # type: ignore[misc]  # Authlib has no types
    """Authlib's own lets a confidential client leave PKCE out and takes `plain`, also by default
    when no method is named."""

    DEFAULT_CODE_CHALLENGE_METHOD = "S256"
    SUPPORTED_CODE_CHALLENGE_METHOD = ["S256"]
    CODE_CHALLENGE_METHODS = {"S256": _matches}

    def validate_code_challenge(self, grant: Any, redirect_uri: str) -> None:
        """Refuse an authorization request without exactly one S256 challenge."""
        data = grant.request.payload.data
        if not data.get("code_challenge"):
            raise InvalidRequestError("PKCE is required: send a code_challenge.")
        if data.get("code_challenge_method") != "S256":
            raise InvalidRequestError("The code_challenge_method must be S256.")
        if not _S256.fullmatch(data["code_challenge"]):
            raise InvalidRequestError("The code_challenge is no SHA-256 digest in base64url.")
        super().validate_code_challenge(grant, redirect_uri)

    def get_authorization_code_challenge_method(self, authorization_code: Any) -> str:
        return "S256"
