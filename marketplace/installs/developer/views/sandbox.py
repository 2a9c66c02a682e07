"""The sandbox: making it, trying apps in it, making events up, and resetting it."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.core.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from marketplace.core.limits import limiter
from marketplace.core.pagination import paginate
from marketplace.core.permissions import current_actor, needs
from marketplace.identity import queries as identity
from marketplace.identity.forms import choices_of
from marketplace.identity.models import Organization
from marketplace.installs.customer.consent import Consent, Verdict, prepare_consent
from marketplace.installs.customer.handover import install_target
from marketplace.installs.customer.services.consent import give_consent
from marketplace.installs.developer.forms import SimulationForm, show_errors
from marketplace.installs.developer.queries import apps as app_queries
from marketplace.installs.developer.queries import sandbox as queries
from marketplace.installs.developer.services import sandbox as services
from marketplace.installs.developer.services import simulations
from marketplace.installs.developer.services.apps import refuse_archived
from marketplace.installs.developer.views.blueprint import active_partner, blueprint, own_app
from marketplace.installs.models import App, Environment
from marketplace.installs.webhooks.event_types import EVENT_TYPES

MOST_APPS, MOST_EVENTS = 100, 10


@blueprint.get("/sandbox")
@needs("developer.use")
def sandbox() -> ResponseReturnValue:
    """What the sandbox is for, and what is in it."""
    return _sandbox_page(SimulationForm(formdata=None))


@blueprint.post("/sandbox/making")
@needs("sandbox.manage")
def sandbox_make() -> ResponseReturnValue:
    """Make it; once, however often it is asked for."""
    services.ensure_sandbox(active_partner(), current_actor())
    flash("The sandbox is ready.", "success")
    return redirect(url_for("developer.sandbox"), 303)


@blueprint.get("/sandbox/reset")
@needs("sandbox.manage")
def sandbox_resetting() -> ResponseReturnValue:
    """The question before everything in it is forgotten."""
    partner = active_partner()
    if services.find_sandbox(partner.id) is None:
        return redirect(url_for("developer.sandbox"))
    return render_template("developer/sandbox_reset.html", counts=queries.contents(partner.id))


@blueprint.post("/sandbox/reset")
@needs("sandbox.manage")
def sandbox_reset() -> ResponseReturnValue:
    """Put it back to its beginning."""
    services.reset_sandbox(active_partner(), current_actor())
    flash("The sandbox is as it was at its beginning. Nothing live was touched.", "success")
    return redirect(url_for("developer.sandbox"), 303)


@blueprint.post("/sandbox/simulations")
@needs("sandbox.manage")
@limiter.limit("60 per hour")
def sandbox_simulate() -> ResponseReturnValue:
    """Make events up and send them to the test endpoints."""
    partner = active_partner()
    form = SimulationForm()
    try:
        made = simulations.simulate(
            current_actor(), partner, app_id=form.app.data or "", types=form.types.data or []
        )
    except InvalidError as error:
        show_errors(form, error.fields)
        return _sandbox_page(form), 422
    text = "1 event is" if made == 1 else f"{made} events are"
    flash(f"{text} on the way to your test endpoints.", "success")
    return redirect(url_for("developer.sandbox", _anchor="events"), 303)


@blueprint.get("/apps/<app_id>/test/install")
@needs("app.manage", load=own_app, name="app", hidden=False)
def app_try_install(app: App) -> ResponseReturnValue:
    """The consent page as a customer sees it, for the sandbox."""
    refuse_archived(app)
    found = _sandbox_of(app)
    if found is None:
        flash("Make the sandbox first: it is the customer that tries your app.", "info")
        return redirect(url_for("developer.sandbox"))
    return _try_page(_consent(app, found))


@blueprint.post("/apps/<app_id>/test/install")
@needs("app.manage", load=own_app, name="app", hidden=False)
def app_install_test(app: App) -> ResponseReturnValue:
    """Consent in the sandbox's name, and show the way on into the app."""
    refuse_archived(app)
    found = _sandbox_of(app)
    if found is None:
        raise NotFoundError
    consent = _consent(app, found)
    try:
        installation = give_consent(
            current_actor(), consent, shown=request.form.get("fingerprint", "")
        )
    except ConflictError as error:
        return _try_page(_consent(app, found), told=error.detail), 409
    except ForbiddenError as error:
        return _try_page(_consent(app, found), told=error.detail), 403
    return render_template(
        "developer/test_installed.html",
        app=app,
        sandbox=found,
        installation=installation,
        # A link, not a redirect: the content policy lets no form lead to other sites.
        link=install_target(consent.client, installation),
    )


def _consent(app: App, found: Organization) -> Consent:
    client = app_queries.find_client(app.id, Environment.TEST)
    if client is None:
        raise NotFoundError
    return prepare_consent(current_actor(), client, found, ())


def _try_page(consent: Consent, told: str = "") -> str:
    return render_template(
        "developer/try_install.html",
        app=consent.app,
        consent=consent,
        told=told,
        is_granted=consent.verdict is Verdict.GRANTED,
        is_refused=consent.verdict is Verdict.REFUSED,
        link=install_target(consent.client, consent.installation)
        if consent.installation is not None
        else "",
    )


def _sandbox_of(app: App) -> Organization | None:
    return services.find_sandbox(app.publisher_id)


def _sandbox_page(form: SimulationForm) -> str:
    partner = active_partner()
    found = services.find_sandbox(partner.id)
    apps = list(paginate(app_queries.own_apps(partner.id), page=1, per_page=MOST_APPS).items)
    form.app.choices = choices_of(
        [
            ("", "Your organization, no app"),
            *((row.public_id, row.name) for row in apps),
        ]
    )
    if form.app.data is None and apps:
        form.app.data = apps[0].public_id
    form.types.choices = choices_of(
        (name, f"{EVENT_TYPES[name].title} ({name})") for name in simulations.TYPES
    )
    return render_template(
        "developer/sandbox.html",
        organization=partner,
        sandbox=found,
        members=identity.members_of(found.id) if found is not None else [],
        apps=apps,
        installations=queries.installations(found.id) if found is not None else {},
        events=queries.latest_events(partner.id, MOST_EVENTS) if found is not None else [],
        event_types=EVENT_TYPES,
        form=form,
        may_manage=current_actor().can("sandbox.manage"),
    )
