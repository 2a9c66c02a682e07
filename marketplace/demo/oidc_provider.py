"""A sign-in provider for the demo and the tests: real OpenID Connect, people to choose from.

It is strict where a client could get away with less: one registered client, exact redirect
address, PKCE with S256, a nonce, codes that work once. It proves nothing about anybody: whoever
reaches it may be anyone on its list. Production refuses it.
"""

import base64
import hashlib
import hmac
import os
import re
import secrets
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import click
from flask import Flask, Response, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from joserfc import jwt
from joserfc.jwk import RSAKey
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from marketplace.config import ROOT
from marketplace.core import clock
from marketplace.demo.mailbox import mailbox
from marketplace.demo.people import DemoPerson, demo_people
from marketplace.site.brand_color import FILTERS

CODE_LIFETIME = timedelta(minutes=2)
TOKEN_LIFETIME = timedelta(minutes=10)
CLIENT_ID = "portico"
CLIENT_SECRET = "portico-demo"  # noqa: S105 - guards nothing: the demo's people are for everybody


@dataclass(frozen=True)
class Client:
    """The one application that may use the provider."""

    client_id: str
    client_secret: str
    redirect_uris: tuple[str, ...]


@dataclass(frozen=True)
class Grant:
    """A code on its way: who, for what request, until when."""

    subject: str
    redirect_uri: str
    challenge: str
    nonce: str
    scope: str
    until: datetime
    confirmed: bool = False


class RequestRefusedError(Exception):
    """A request that the provider does not answer; the message is for a developer."""


def demo_settings(issuer: str) -> dict[str, str]:
    """The settings that make an application use the provider at `issuer`."""
    return {
        "OIDC_PROVIDERS": "demo",
        "OIDC_DEMO_ISSUER": issuer,
        "OIDC_DEMO_CLIENT_ID": CLIENT_ID,
        "OIDC_DEMO_CLIENT_SECRET": CLIENT_SECRET,
        "OIDC_DEMO_LABEL": "Demo people",
    }


@dataclass
class Provider:
    """The provider's state, in memory, and its rules. Thread-safe."""

    issuer: str
    people: Sequence[DemoPerson]
    client: Client
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, auto_kid=True))
    grants: dict[str, Grant] = field(default_factory=dict)
    tokens: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    newcomers: dict[str, DemoPerson] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def check_request(self, query: Mapping[str, str]) -> None:
        """Raise RequestRefusedError unless this is a request that may be answered."""
        if query.get("client_id") != self.client.client_id:
            raise RequestRefusedError("unknown client_id")
        if query.get("redirect_uri") not in self.client.redirect_uris:
            raise RequestRefusedError(f"redirect_uri must be one of {self.client.redirect_uris}")
        if query.get("response_type") != "code":
            raise RequestRefusedError("response_type must be code")
        if "openid" not in query.get("scope", "").split():
            raise RequestRefusedError("scope must have openid")
        if query.get("code_challenge_method") != "S256" or not query.get("code_challenge"):
            raise RequestRefusedError("PKCE with S256 is required")
        if not query.get("state") or not query.get("nonce"):
            raise RequestRefusedError("state and nonce are required")

    def issue_code(self, query: Mapping[str, str], subject: str) -> str:
        """A code for a checked request. Raises RequestRefusedError for somebody unknown."""
        if self.person(subject) is None:
            raise RequestRefusedError("nobody by that subject")
        code = secrets.token_urlsafe(32)
        grant = Grant(
            subject=subject,
            redirect_uri=query["redirect_uri"],
            challenge=query["code_challenge"],
            nonce=query["nonce"],
            scope=query["scope"],
            confirmed=query.get("prompt") == "login",
            until=clock.now() + CODE_LIFETIME,
        )
        with self.lock:
            at = clock.now()
            self.grants = {k: g for k, g in self.grants.items() if g.until > at}
            self.tokens = {k: t for k, t in self.tokens.items() if t[1] > at}
            self.grants[code] = grant
        return code

    def add_newcomer(self, name: str, address: str) -> str:
        """Somebody who is not on the list; their subject, the same for the same address. Raises
        RequestRefusedError for what is no name or address."""
        name, address = " ".join(name.split())[:120], address.strip().lower()
        if not name or re.fullmatch(r"[^@\s]{1,64}@[a-z0-9.-]{3,180}", address) is None:
            raise RequestRefusedError("a newcomer needs a name and an e-mail address")
        for person in self.people:
            if person.email.lower() == address:
                return person.subject
        subject = "new-" + hashlib.sha256(address.encode()).hexdigest()[:16]
        with self.lock:
            self.newcomers[subject] = DemoPerson(subject, name, address, "", "")
        return subject

    def exchange(self, form: Mapping[str, str]) -> dict[str, Any] | None:
        """The token answer for a code, which works once; None when the code is not good."""
        with self.lock:
            grant = self.grants.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if (
            grant is None
            or grant.until <= clock.now()
            or form.get("grant_type") != "authorization_code"
            or form.get("redirect_uri") != grant.redirect_uri
            or not hmac.compare_digest(challenge, grant.challenge)
        ):
            return None
        access_token = secrets.token_urlsafe(32)
        with self.lock:
            self.tokens[access_token] = (grant.subject, clock.now() + TOKEN_LIFETIME)
        return {
            "access_token": access_token,
            "token_type": "Bearer",
            "expires_in": int(TOKEN_LIFETIME.total_seconds()),
            "scope": grant.scope,
            "id_token": self.sign(self.claims(grant)),
        }

    def claims(self, grant: Grant) -> dict[str, Any]:
        """The claims of the ID token. Name and address are for userinfo to tell."""
        at = int(clock.now().timestamp())
        return {
            "iss": self.issuer,
            "sub": grant.subject,
            "aud": self.client.client_id,
            "iat": at,
            "exp": at + int(TOKEN_LIFETIME.total_seconds()),
            "nonce": grant.nonce,
            "auth_time": at,
            # Signing in anew counts as having confirmed by a code: here as everything pretended.
            "amr": ["pwd", "otp", "mfa"] if grant.confirmed else ["pwd"],
        }

    def sign(self, claims: dict[str, Any]) -> str:
        """The ID token of these claims."""
        return jwt.encode({"alg": "RS256", "kid": self.key.kid}, claims, self.key)

    def userinfo(self, access_token: str) -> dict[str, Any] | None:
        """What is known of the token's person; None for a token that is not good."""
        with self.lock:
            subject, until = self.tokens.get(access_token, ("", clock.now()))
        person = self.person(subject)
        if person is None or until <= clock.now():
            return None
        return {
            "sub": person.subject,
            "name": person.name,
            "email": person.email,
            "email_verified": True,
        }

    def person(self, subject: str) -> DemoPerson | None:
        """The person of that subject."""
        listed = next((found for found in self.people if found.subject == subject), None)
        return listed or self.newcomers.get(subject)

    def is_client(self, client_id: str, client_secret: str) -> bool:
        """Whether this is the registered client."""
        return hmac.compare_digest(client_id, self.client.client_id) and hmac.compare_digest(
            client_secret, self.client.client_secret
        )


def build_app(
    provider: Provider, site_name: str = "Portico", *, mail_folder: Path | None = None
) -> Flask:
    """The provider as a WSGI application, with the mailbox over `mail_folder` beside it."""
    app = Flask(
        "portico-demo-provider",
        root_path=str(ROOT),
        template_folder=str(ROOT / "templates"),
        static_folder=str(ROOT / "static"),
    )
    app.jinja_env.filters.update(FILTERS)
    app.jinja_env.globals.update(
        site_name=site_name,
        asset_url=lambda filename: url_for("static", filename=filename),
    )

    if mail_folder is not None:
        app.register_blueprint(mailbox(mail_folder))

    @app.get("/.well-known/openid-configuration")
    def discovery() -> ResponseReturnValue:
        return jsonify(
            issuer=provider.issuer,
            authorization_endpoint=f"{provider.issuer}/authorize",
            token_endpoint=f"{provider.issuer}/token",
            userinfo_endpoint=f"{provider.issuer}/userinfo",
            jwks_uri=f"{provider.issuer}/keys",
            response_types_supported=["code"],
            subject_types_supported=["public"],
            id_token_signing_alg_values_supported=["RS256"],
            token_endpoint_auth_methods_supported=["client_secret_basic", "client_secret_post"],
            code_challenge_methods_supported=["S256"],
            scopes_supported=["openid", "profile", "email"],
            authorization_response_iss_parameter_supported=True,
        )

    @app.get("/keys")
    def keys() -> ResponseReturnValue:
        public = provider.key.as_dict(private=False)
        return jsonify(keys=[{**public, "use": "sig", "alg": "RS256"}])

    @app.get("/authorize")
    def choose() -> ResponseReturnValue:
        provider.check_request(request.args)
        page = render_template(
            "demo/choose_person.html", people=provider.people, query=request.args
        )
        return _page(page, request.args["redirect_uri"])

    @app.post("/authorize")
    def chosen() -> ResponseReturnValue:
        query = request.form
        provider.check_request(query)
        answer = {"state": query["state"], "iss": provider.issuer}
        subject = query.get("subject", "")
        if subject == "new":
            subject = provider.add_newcomer(query.get("name", ""), query.get("email", ""))
        if subject:
            answer["code"] = provider.issue_code(query, subject)
        else:
            answer["error"] = "access_denied"
        return redirect(f"{query['redirect_uri']}?{urlencode(answer)}", code=303)

    @app.post("/token")
    def token() -> ResponseReturnValue:
        given = request.authorization
        name, secret = request.form.get("client_id", ""), request.form.get("client_secret", "")
        if given is not None and given.type == "basic":
            name, secret = given.username or "", given.password or ""
        if not provider.is_client(name, secret):
            return jsonify(error="invalid_client"), 401
        answer = provider.exchange(request.form)
        if answer is None:
            return jsonify(error="invalid_grant"), 400
        response = jsonify(answer)
        response.headers["Cache-Control"] = "no-store"
        return response

    @app.get("/userinfo")
    def userinfo() -> ResponseReturnValue:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        found = provider.userinfo(token)
        return jsonify(found) if found is not None else (jsonify(error="invalid_token"), 401)

    @app.get("/")
    def home() -> ResponseReturnValue:
        return _page(
            render_template(
                "demo/provider.html",
                people=provider.people,
                mail_href=url_for("mailbox.index") if mail_folder is not None else "",
            ),
            "",
        )

    @app.errorhandler(RequestRefusedError)
    def refused(error: RequestRefusedError) -> ResponseReturnValue:
        # Never sent back to the given redirect_uri: it may be what is wrong.
        return Response(f"Refused: {error}\n", status=400, mimetype="text/plain")

    return app


def _page(html: str, redirect_uri: str) -> Response:
    parts = urlsplit(redirect_uri)
    leads_to = f" {parts.scheme}://{parts.netloc}" if parts.netloc else ""
    response = Response(html, mimetype="text/html")
    response.headers["Content-Security-Policy"] = (
        f"default-src 'self'; form-action 'self'{leads_to}; frame-ancestors 'none'; base-uri 'none'"
    )
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


class _QuietHandler(WSGIRequestHandler):
    """Logs nothing: the addresses of its requests hold codes."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""


def make_provider_server(host: str, port: int, app: Flask) -> BaseWSGIServer:
    """A threaded server for the provider, bound but not yet serving."""
    return make_server(host, port, app, threaded=True, request_handler=_QuietHandler)


@contextmanager
def serving(server: BaseWSGIServer) -> Iterator[None]:
    """Serve from a thread within the block."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def run_oidc_provider(
    host: str,
    port: int,
    people: Sequence[DemoPerson],
    *,
    issuer: str | None = None,
    public_url: str = "http://127.0.0.1:8000",
    client_id: str = CLIENT_ID,
    client_secret: str = CLIENT_SECRET,
    site_name: str = "Portico",
    mail_folder: Path | None = None,
) -> None:
    """Serve the provider until the process (or its thread) ends. `public_url`: the application."""
    client = Client(client_id, client_secret, (f"{public_url}/auth/demo/callback",))
    provider = Provider(issuer or f"http://{host}:{port}", people, client)
    app = build_app(provider, site_name, mail_folder=mail_folder)
    make_provider_server(host, port, app).serve_forever()


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(1, 65_535), required=True)
def main(host: str, port: int) -> None:
    """Serve the demo's sign-in provider; the OIDC_DEMO_* settings and PUBLIC_URL apply to it."""
    env = os.environ
    try:
        people = demo_people()
        run_oidc_provider(
            host,
            port,
            people,
            issuer=env.get("OIDC_DEMO_ISSUER", "").rstrip("/") or None,
            public_url=env.get("PUBLIC_URL", "http://127.0.0.1:8000").rstrip("/"),
            client_id=env.get("OIDC_DEMO_CLIENT_ID", CLIENT_ID),
            client_secret=env.get("OIDC_DEMO_CLIENT_SECRET", CLIENT_SECRET),
            site_name=env.get("SITE_NAME", "Portico"),
            mail_folder=Path(env["DATA_DIR"]) / "mail" if env.get("DATA_DIR") else None,
        )
    except (ValueError, OSError) as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        return


if __name__ == "__main__":
    main()
