"""A partner's apps: the list, a new one, overview, settings, archiving."""

from datetime import timedelta
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.core import clock
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.pagination import page_number, paginate
from marketplace.core.permissions import current_actor, needs
from marketplace.identity.forms import choices_of
from marketplace.installs.developer import fingerprints
from marketplace.installs.developer.app_states import HEALTH, state_of
from marketplace.installs.developer.day_chart import day_chart
from marketplace.installs.developer.forms import (
    KIND_TEXTS,
    AppForm,
    ArchiveForm,
    NewAppForm,
    show_errors,
)
from marketplace.installs.developer.queries import apps as queries
from marketplace.installs.developer.services import apps as services
from marketplace.installs.developer.views.blueprint import (
    active_partner,
    app_tabs,
    blueprint,
    own_app,
)
from marketplace.installs.models import App, Environment, InstallationState

PER_PAGE, ON_OVERVIEW, CHART_DAYS = 25, 5, 28


@blueprint.get("/apps")
@needs("developer.use")
def apps() -> ResponseReturnValue:
    """The apps of the active partner organization, or its archived ones."""
    actor = current_actor()
    archived = request.args.get("show") == "archived"
    page = paginate(
        queries.own_apps(actor.organization_id or 0, archived=archived),
        page=page_number(request.args.get("page")),
        per_page=PER_PAGE,
    )
    return render_template(
        "developer/apps.html",
        organization=active_partner(),
        page=page,
        archived=archived,
        counts=_counts(queries.count_installations(app.id for app in page.items)),
        state_of=state_of,
        health=HEALTH,
        may_create=actor.can("app.create"),
    )


@blueprint.get("/apps/new")
@needs("app.create")
def app_new() -> ResponseReturnValue:
    """The form of a new app; `?listing=<slug>` chooses a listing."""
    form = NewAppForm(formdata=None)
    wanted = request.args.get("listing", "")
    for row in _fill_listings(form, None):
        if row.slug == wanted:
            form.listing.data, form.name.data = str(row.id), row.name
    return _new_page(form)


@blueprint.post("/apps/new")
@needs("app.create")
def app_create() -> ResponseReturnValue:
    """Register an app and go on to its test environment."""
    form = NewAppForm()
    try:
        if form.kind.data not in KIND_TEXTS:
            raise InvalidError({"kind": "Choose one of the two."})
        app = services.register_app(
            current_actor(),
            name=form.name.data or "",
            listing_id=_chosen_listing(form),
            is_confidential=form.kind.data == "confidential",
        )
    except InvalidError as error:
        extra = show_errors(form, error.fields)
        _fill_listings(form, None)
        return _new_page(form, extra), 422
    flash(f"{app.name} is registered. Begin in the test environment.", "success")
    return redirect(url_for("developer.app_client", app_id=app.public_id, environment="test"), 303)


@blueprint.get("/apps/<app_id>")
@needs("app.read", load=own_app, name="app")
def app(app: App) -> ResponseReturnValue:
    """How an app is doing, and what it still needs."""
    at = clock.now()
    since = (at - timedelta(days=CHART_DAYS - 1)).replace(hour=0, minute=0, second=0, microsecond=0)
    latest = paginate(queries.installations(app.id, Environment.LIVE), page=1, per_page=ON_OVERVIEW)
    return render_template(
        "developer/app.html",
        app=app,
        tabs=app_tabs(app, "overview"),
        state=state_of(app),
        health=HEALTH[app.health],
        counts=_counts(queries.count_installations([app.id])).get(app.id, {}),
        chart=day_chart(queries.installs_by_day(app.id, since), at.date(), CHART_DAYS),
        latest=latest,
        steps=_steps(app),
        may_manage=current_actor().can("app.manage", app),
    )


@blueprint.get("/apps/<app_id>/settings")
@needs("app.read", load=own_app, name="app")
def app_settings(app: App) -> ResponseReturnValue:
    """Name, listing and status address, and the way to archive it."""
    form = AppForm(
        formdata=None,
        data={
            "name": app.name,
            "listing": str(app.listing_id or ""),
            "status_url": app.status_url,
            "seen": fingerprints.of_app(app),
        },
    )
    return _settings_page(app, form)


@blueprint.post("/apps/<app_id>/settings")
@needs("app.manage", load=own_app, name="app", hidden=False)
def app_save(app: App) -> ResponseReturnValue:
    """Save them, unless a colleague saved something else meanwhile."""
    form = AppForm()
    app_id = app.public_id
    try:
        changed = services.change_app(
            current_actor(),
            app,
            seen=form.seen.data or "",
            name=form.name.data or "",
            listing_id=_chosen_listing(form),
            status_url=form.status_url.data or "",
        )
    except services.StaleError as error:
        form.seen.data = fingerprints.of_app(app)
        return _settings_page(app, form, [error.detail]), 409
    except InvalidError as error:
        extra = show_errors(form, error.fields)
        return _settings_page(queries.find_app(app_id) or app, form, extra), 422
    flash("Saved." if changed else "That is what it says already.", "success")
    return redirect(url_for("developer.app_settings", app_id=app_id), 303)


@blueprint.get("/apps/<app_id>/archiving")
@needs("app.manage", load=own_app, name="app", hidden=False)
def app_archiving(app: App) -> ResponseReturnValue:
    """The question before an app is archived."""
    return _archiving_page(app, ArchiveForm(formdata=None))


@blueprint.post("/apps/<app_id>/archiving")
@needs("app.manage", load=own_app, name="app", hidden=False)
def app_archive(app: App) -> ResponseReturnValue:
    """Archive the app."""
    form = ArchiveForm()
    try:
        services.archive_app(current_actor(), app, typed_name=form.name.data or "")
    except InvalidError as error:
        show_errors(form, error.fields)
        return _archiving_page(app, form), 422
    except ConflictError:
        return _archiving_page(app, form), 409
    flash(f"{app.name} is archived.", "success")
    return redirect(url_for("developer.apps"), 303)


def _chosen_listing(form: Any) -> int | None:
    """The id that was chosen, None for none. Raises InvalidError for what is no choice."""
    chosen = str(form.listing.data or "")
    if not chosen:
        return None
    if not chosen.isascii() or not chosen.isdigit() or len(chosen) > 18:
        raise InvalidError({"listing": "Choose a listing of yours that has no app yet."})
    return int(chosen)


def _fill_listings(form: Any, app: App | None) -> Any:
    rows = queries.free_listings(
        current_actor().organization_id or 0, but_app_id=app.id if app else None
    )
    known = {row.id for row in rows}
    # An app keeps its listing even when that could not be chosen now, such as a withdrawn one.
    kept = (
        [(str(app.listing.id), app.listing.name)]
        if app is not None and app.listing is not None and app.listing.id not in known
        else []
    )
    form.listing.choices = choices_of(
        [("", "None yet"), *kept, *((str(row.id), row.name) for row in rows)]
    )
    return rows


def _new_page(form: NewAppForm, extra: list[str] | None = None) -> str:
    return render_template(
        "developer/app_new.html", form=form, extra=extra or [], kind_texts=KIND_TEXTS
    )


def _settings_page(app: App, form: AppForm, extra: list[str] | None = None) -> str:
    _fill_listings(form, app)
    return render_template(
        "developer/app_settings.html",
        app=app,
        form=form,
        extra=extra or [],
        tabs=app_tabs(app, "settings"),
        state=state_of(app),
        health=HEALTH[app.health],
        may_manage=current_actor().can("app.manage", app) and app.archived_at is None,
    )


def _archiving_page(app: App, form: ArchiveForm) -> str:
    return render_template(
        "developer/app_archiving.html",
        app=app,
        form=form,
        installed=services.live_installations(app.id),
    )


def _counts(
    found: dict[tuple[int, Environment, InstallationState], int],
) -> dict[int, dict[str, int]]:
    """Installations that were not removed, by app: `live`, of those `paused`, and `test`."""
    counts: dict[int, dict[str, int]] = {}
    for (app_id, environment, state), count in found.items():
        if state is InstallationState.UNINSTALLED:
            continue
        of_app = counts.setdefault(app_id, {"live": 0, "paused": 0, "test": 0})
        of_app[environment.value] += count
        if environment is Environment.LIVE and state is InstallationState.PAUSED:
            of_app["paused"] += count
    return counts


def _steps(app: App) -> list[dict[str, Any]]:
    """What is to do until customers can install it, in order; empty when all is done."""
    by_environment = {client.environment: client for client in app.clients}
    test, live = by_environment[Environment.TEST], by_environment[Environment.LIVE]

    def client_done(client: Any) -> bool:
        has_secret = any(secret.revoked_at is None for secret in client.secrets)
        return bool(client.redirect_uris) and (has_secret or not client.is_confidential)

    listing = app.listing
    steps = [
        ("Set up the test client", client_done(test), "test"),
        ("Link a listing", listing is not None, "settings"),
        ("Publish the listing", listing is not None and listing.published_at is not None, ""),
        ("Set up the live client", client_done(live), "live"),
    ]
    if all(done for _, done, _ in steps):
        return []
    return [{"label": label, "done": done, "where": where} for label, done, where in steps]
