"""An app in one environment: addresses, secrets, disabling."""

from collections.abc import Iterable

from flask import flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.core.errors import ConflictError, InvalidError, NotFoundError
from marketplace.core.limits import limiter
from marketplace.core.permissions import current_actor, needs
from marketplace.installs.developer import fingerprints
from marketplace.installs.developer.addresses import MOST_REDIRECT_URIS
from marketplace.installs.developer.app_states import state_of
from marketplace.installs.developer.forms import KIND_TEXTS, ClientForm, show_errors
from marketplace.installs.developer.queries import apps as queries
from marketplace.installs.developer.services import clients as services
from marketplace.installs.developer.services.apps import StaleError
from marketplace.installs.developer.views.blueprint import (
    ENVIRONMENT,
    ENVIRONMENT_LABELS,
    app_tabs,
    asked_environment,
    blueprint,
    own_app,
)
from marketplace.installs.models import App, ClientSecret, Environment, OAuthClient

_AT = f"/apps/<app_id>/{ENVIRONMENT}"


@blueprint.get(_AT)
@needs("app.read", load=own_app, name="app")
def app_client(app: App) -> ResponseReturnValue:
    """The client's id, secrets and addresses."""
    return _client_page(app, asked_environment())


@blueprint.post(f"{_AT}/settings")
@needs("app.manage", load=own_app, name="app", hidden=False)
def app_client_save(app: App) -> ResponseReturnValue:
    """Save the addresses and the kind, unless a colleague saved something else meanwhile."""
    environment = asked_environment()
    form = ClientForm()
    if "add_row" in request.form or "remove_row" in request.form:
        _change_rows(form)
        return _client_page(app, environment, form=form)
    if form.kind.data not in KIND_TEXTS:
        form.kind.errors = ["Choose one of the two."]
        return _client_page(app, environment, form=form), 422
    try:
        changed = services.change_client(
            current_actor(),
            app,
            environment,
            seen=form.seen.data or "",
            redirect_uris=[entry.data or "" for entry in form.redirect_uris.entries],
            install_url=form.install_url.data or "",
            configure_url=form.configure_url.data or "",
            is_confidential=form.kind.data == "confidential",
        )
    except StaleError as error:
        client = _client(app, environment)
        form.seen.data = fingerprints.of_client(client)
        return _client_page(app, environment, form=form, extra=[error.detail], stale=True), 409
    except InvalidError as error:
        extra = show_errors(form, error.fields)
        return _client_page(app, environment, form=form, extra=extra), 422
    flash("Saved." if changed else "That is what it says already.", "success")
    return _to_client(app, environment)


@blueprint.post(f"{_AT}/secrets")
@needs("app.manage", load=own_app, name="app", hidden=False)
@limiter.limit("30 per hour")
def app_make_secret(app: App) -> ResponseReturnValue:
    """Make a secret. It is in this answer and nowhere else: no later page can show it."""
    environment = asked_environment()
    try:
        secret = services.make_secret(
            current_actor(), app, environment, seen=request.form.get("seen", "")
        )
    except ConflictError as error:
        return _client_page(app, environment, told=error.detail), 409
    response = make_response(_client_page(app, environment, secret=secret))
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.get(f"{_AT}/secrets/<int:secret_id>/revocation")
@needs("app.manage", load=own_app, name="app", hidden=False)
def app_secret_revocation(app: App) -> ResponseReturnValue:
    """The question before a secret is revoked."""
    environment = asked_environment()
    client = _client(app, environment)
    live = queries.live_secrets(client.id)
    secret = next((row for row in live if row.id == _secret_id()), None)
    if secret is None:
        raise NotFoundError
    return render_template(
        "developer/secret_revocation.html",
        app=app,
        environment=environment,
        secret=secret,
        is_only=len(live) == 1,
        is_last_used=_last_used(live) is secret,
    )


@blueprint.post(f"{_AT}/secrets/<int:secret_id>/revocation")
@needs("app.manage", load=own_app, name="app", hidden=False)
def app_revoke_secret(app: App) -> ResponseReturnValue:
    """Revoke it."""
    environment = asked_environment()
    if services.revoke_secret(current_actor(), app, environment, _secret_id()):
        flash("The secret is revoked.", "success")
    else:
        flash("The client has no such secret any more.", "info")
    return _to_client(app, environment)


@blueprint.get(f"{_AT}/disabling")
@needs("app.manage", load=own_app, name="app", hidden=False)
def app_client_disabling(app: App) -> ResponseReturnValue:
    """The question before a client is disabled."""
    environment = asked_environment()
    counts = queries.count_installations([app.id])
    return render_template(
        "developer/client_disabling.html",
        app=app,
        environment=environment,
        label=ENVIRONMENT_LABELS[environment],
        installed=sum(
            count
            for (_app, where, state), count in counts.items()
            if where is environment and state.value != "uninstalled"
        ),
    )


@blueprint.post(f"{_AT}/disabling")
@needs("app.manage", load=own_app, name="app", hidden=False)
def app_client_disable(app: App) -> ResponseReturnValue:
    """Disable it; its tokens end at once."""
    environment = asked_environment()
    services.disable_client(current_actor(), app, environment)
    flash(f"The {environment.value} client is disabled. Its tokens are refused.", "success")
    return _to_client(app, environment)


@blueprint.post(f"{_AT}/enabling")
@needs("app.manage", load=own_app, name="app", hidden=False)
def app_client_enable(app: App) -> ResponseReturnValue:
    """Enable it again."""
    environment = asked_environment()
    services.enable_client(current_actor(), app, environment)
    flash(f"The {environment.value} client is enabled. Installations connect anew.", "success")
    return _to_client(app, environment)


def _client_page(
    app: App,
    environment: Environment,
    *,
    form: ClientForm | None = None,
    extra: list[str] | None = None,
    stale: bool = False,
    secret: str = "",
    told: str = "",
) -> str:
    client = _client(app, environment)
    live = queries.live_secrets(client.id)
    may_manage = current_actor().can("app.manage", app) and app.archived_at is None
    if form is None:
        form = ClientForm(
            formdata=None,
            data={
                "redirect_uris": client.redirect_uris or [""],
                "install_url": client.install_url,
                "configure_url": client.configure_url,
                "kind": "confidential" if client.is_confidential else "public",
                "seen": fingerprints.of_client(client),
            },
        )
    return render_template(
        "developer/client.html",
        app=app,
        client=client,
        environment=environment,
        label=ENVIRONMENT_LABELS[environment],
        tabs=app_tabs(app, environment.value),
        state=state_of(app),
        form=form,
        extra=extra or [],
        stale=stale,
        secret=secret,
        told=told,
        secrets=live,
        last_used=_last_used(live),
        seen=services.secrets_seen(live),
        may_make=len(live) < services.MOST_SECRETS,
        kind_texts=KIND_TEXTS,
        most_uris=MOST_REDIRECT_URIS,
        may_manage=may_manage,
    )


def _client(app: App, environment: Environment) -> OAuthClient:
    client = queries.find_client(app.id, environment)
    if client is None:
        raise NotFoundError
    return client


def _last_used(secrets: Iterable[ClientSecret]) -> ClientSecret | None:
    """The secret that was used last, None when none ever was."""
    used = [(row.last_used_at, row.id, row) for row in secrets if row.last_used_at is not None]
    return max(used)[2] if used else None


def _secret_id() -> int:
    return int((request.view_args or {})["secret_id"])


def _to_client(app: App, environment: Environment) -> ResponseReturnValue:
    return redirect(
        url_for("developer.app_client", app_id=app.public_id, environment=environment.value), 303
    )


def _change_rows(form: ClientForm) -> None:
    """Add or remove a row of the list, for browsers without JavaScript."""
    if "add_row" in request.form:
        if len(form.redirect_uris.entries) < MOST_REDIRECT_URIS:
            form.redirect_uris.append_entry("")
        return
    kept = [
        entry.data
        for entry in form.redirect_uris.entries
        if entry.name != request.form.get("remove_row")
    ]
    while form.redirect_uris.entries:
        form.redirect_uris.pop_entry()
    for value in kept or [""]:
        form.redirect_uris.append_entry(value)
