"""The app's pages: where customers arrive, where the marketplace calls, and what is kept."""

import json
import logging
import secrets
from datetime import UTC, datetime
from typing import Any

import requests
from authlib.integrations.base_client.errors import OAuthError
from flask import Flask, abort, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from examples.sample_app.oauth import NotConnectedError, Portico
from examples.sample_app.settings import Settings, kept_cookie_key
from examples.sample_app.store import Store
from examples.sample_app.webhooks import Confirmations, RefusedWebhookError, read_webhook, take

log = logging.getLogger(__name__)
# Somebody may begin in several tabs; each has its own state.
MOST_BEGUN = 5
MAX_WEBHOOK_BYTES = 256 * 1024


def create_app(settings: Settings) -> Flask:
    """The app over its own folder."""
    app = Flask(__name__)
    app.config.update(
        SECRET_KEY=kept_cookie_key(settings.data_dir),
        # Browsers share cookies between the ports of a machine: a name of its own.
        SESSION_COOKIE_NAME="sample_app",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.app_url.startswith("https://"),
        MAX_CONTENT_LENGTH=MAX_WEBHOOK_BYTES,
    )
    app.jinja_env.filters["moment"] = _moment
    store = Store(settings.data_dir)
    portico = Portico(settings, store)
    confirmations = Confirmations(store, portico)
    confirmations.start()

    def page(**context: Any) -> str:
        session.setdefault("form_token", secrets.token_urlsafe(16))
        return render_template(
            "home.html",
            settings=settings,
            installations=store.installations(),
            webhooks=store.webhooks(),
            erasures=store.erasures(),
            form_token=session["form_token"],
            **context,
        )

    def problem(title: str, text: str, status: int) -> ResponseReturnValue:
        return render_template("problem.html", settings=settings, title=title, text=text), status

    @app.get("/")
    def home() -> ResponseReturnValue:
        """Who installed the app, and what arrived."""
        return page(connected=request.args.get("connected", ""))

    @app.get("/install")
    def install() -> ResponseReturnValue:
        """A customer installed the app in the marketplace, or wants to: begin an authorization."""
        # Somebody else's marketplace must not send people through ours (mix-up).
        if request.args.get("iss", settings.portico_url) != settings.portico_url:
            return problem("Unknown marketplace", "This app is not installed from there.", 400)
        if request.args.get("client_id", settings.client_id) != settings.client_id:
            return problem("Unknown app", "The link is meant for another app.", 400)
        try:
            url, state, verifier = portico.begin(request.args.get("installation", ""))
        except (requests.RequestException, ValueError) as error:
            log.warning("no metadata: %s", error)
            return problem("Try again later", "The marketplace does not answer.", 503)
        begun = dict(list(session.get("begun", {}).items())[-(MOST_BEGUN - 1) :])
        session["begun"] = {**begun, state: verifier}
        return redirect(url)

    @app.get("/oauth/callback")
    def callback() -> ResponseReturnValue:
        """The customer comes back, with a code or a refusal."""
        begun = session.get("begun", {})
        verifier = begun.pop(request.args.get("state", ""), None)
        session["begun"] = begun
        if verifier is None:
            return problem("Begin again", "This answer belongs to no request of this browser.", 400)
        # RFC 9207: the answer says from whom it is.
        if request.args.get("iss") != settings.portico_url:
            return problem("Unknown marketplace", "The answer is from somebody else.", 400)
        if "error" in request.args:
            return problem("Not installed", f"The answer was: {request.args['error']}.", 200)
        try:
            installation_id = portico.finish(request.args.get("code", ""), verifier)
        except OAuthError as error:
            return problem("Begin again", f"The code was refused: {error.error}.", 400)
        except requests.RequestException:
            return problem("Try again later", "The marketplace does not answer.", 503)
        _learn_name(portico, store, installation_id)
        return redirect(url_for("home", connected=installation_id))

    @app.post("/installations/<installation_id>/call")
    def call(installation_id: str) -> ResponseReturnValue:
        """Call the API with the installation's token and show the answer."""
        if not secrets.compare_digest(
            request.form.get("form_token", ""), session.get("form_token", "-")
        ):
            abort(400)
        if store.installation(installation_id) is None:
            abort(404)
        try:
            answer = portico.call(installation_id, "/api/v1/installation")
        except NotConnectedError as error:
            return page(called=installation_id, status="none", answer=str(error))
        except requests.RequestException:
            return page(called=installation_id, status="none", answer="No answer.")
        return page(called=installation_id, status=answer.status_code, answer=_readable(answer))

    @app.post("/webhooks")
    def webhooks() -> ResponseReturnValue:
        """Take an event. Whatever is not signed with our secret is refused."""
        if not settings.webhook_secret:
            return {"error": "WEBHOOK_SECRET is not set"}, 503
        try:
            message_id, event = read_webhook(
                settings.webhook_secret, request.get_data(), dict(request.headers)
            )
        except RefusedWebhookError as error:
            log.warning("webhook refused: %s", error)
            return {"error": "not signed by the marketplace"}, 400
        is_new = take(store, message_id, event)
        confirmations.wake()
        return {"taken": is_new}

    @app.get("/status")
    def status() -> ResponseReturnValue:
        """For the marketplace's probes: whether the app works, its database included."""
        store.open_erasures()
        return {"status": "ok"}

    return app


def _learn_name(portico: Portico, store: Store, installation_id: str) -> None:
    """Ask the API who the customer is; the page shows the id until it is known."""
    try:
        answer = portico.call(installation_id, "/api/v1/installation")
    except (NotConnectedError, requests.RequestException):
        return
    if answer.ok:
        store.name_customer(installation_id, str(answer.json()["organization"]["name"]))


def _readable(answer: requests.Response) -> str:
    try:
        return json.dumps(answer.json(), indent=2, ensure_ascii=False)
    except ValueError:
        return answer.text[:2_000]


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%d %b %Y, %H:%M:%S UTC")
