"""Another issuer: a small server on loopback with a key, a status list and nothing of ours."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from joserfc import jwt
from joserfc.jwk import RSAKey

from marketplace.accreditation.credentials import status_list
from marketplace.accreditation.credentials.documents import (
    OB_CONTEXT,
    VC_CONTEXT,
    sign_with,
    timestamp,
)
from marketplace.core import clock


@dataclass
class ForeignIssuer:
    """Its address, key, the places that it has revoked, and what it answers by path."""

    base: str
    key: RSAKey
    pages: dict[str, tuple[int, str]] = field(default_factory=dict)
    revoked: list[int] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)

    @property
    def issuer(self) -> str:
        return f"{self.base}/issuer"

    @property
    def kid(self) -> str:
        return f"{self.base}/keys/1"

    def document(self, **changes: Any) -> dict[str, Any]:
        """A credential of its, for a year, at place 7 of its list."""
        now = clock.now()
        return {
            "@context": [VC_CONTEXT, OB_CONTEXT],
            "id": f"{self.base}/credentials/1",
            "type": ["VerifiableCredential", "OpenBadgeCredential"],
            "issuer": {"id": self.issuer, "type": ["Profile"], "name": "Elsewhere"},
            "validFrom": timestamp(now - timedelta(days=1)),
            "validUntil": timestamp(now + timedelta(days=365)),
            "name": "Bread baker",
            "credentialSubject": {
                "id": "urn:uuid:0d3b6ec2-6d2a-4f53-9f1e-6fae1e6a4a0e",
                "type": ["AchievementSubject"],
                "achievement": {
                    "id": "urn:uuid:0d3b6ec2-6d2a-4f53-9f1e-6fae1e6a4a0f",
                    "type": ["Achievement"],
                    "name": "Bread baker",
                    "description": "Bakes bread.",
                    "criteria": {"narrative": "Baking bread."},
                },
            },
            "credentialStatus": {
                "id": f"{self.base}/status/1#7",
                "type": "BitstringStatusListEntry",
                "statusPurpose": "revocation",
                "statusListIndex": "7",
                "statusListCredential": f"{self.base}/status/1",
            },
            **changes,
        }

    def sign(self, document: Mapping[str, Any], **claims: Any) -> str:
        """The document as a VC-JWT by its key."""
        return sign_with(document, self.key, self.kid, **claims)

    def sign_claims(self, claims: Mapping[str, Any], **header: Any) -> str:
        """Any claims, by its key."""
        return jwt.encode(
            {"alg": "RS256", "kid": self.kid, "typ": "JWT", **header}, dict(claims), self.key
        )

    def answer(self, path: str) -> tuple[int, str]:
        """What it answers at a path."""
        if path in self.pages:
            return self.pages[path]
        if path == "/keys/1":
            return 200, json.dumps(self.key.as_dict(private=False))
        if path == "/status/1":
            now = clock.now()
            return 200, self.sign(
                {
                    "@context": [VC_CONTEXT],
                    "id": f"{self.base}/status/1",
                    "type": ["VerifiableCredential", "BitstringStatusListCredential"],
                    "issuer": self.issuer,
                    "validFrom": timestamp(now),
                    "credentialSubject": {
                        "id": f"{self.base}/status/1#list",
                        "type": "BitstringStatusList",
                        "statusPurpose": "revocation",
                        "encodedList": status_list.encode(self.revoked),
                    },
                }
            )
        return 404, ""


@contextmanager
def foreign_issuer() -> Iterator[ForeignIssuer]:
    """Serve it while the block runs."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found.seen.append(self.path)
            status, text = found.answer(self.path)
            body = text.encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found = ForeignIssuer(f"http://127.0.0.1:{server.server_port}", RSAKey.generate_key(2048))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
