"""The list of endpoints, a new one, its page, changing and deleting it, and all event types."""

import json
from datetime import datetime, timedelta

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.core import clock
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.pagination import page_number, paginate
from marketplace.core.permissions import current_actor, needs
from marketplace.identity.forms import show_errors
from marketplace.installs.models import App, DeliveryState, Environment, WebhookEndpoint
from marketplace.installs.webhooks import fingerprints, queries
from marketplace.installs.webhooks.event_types import EVENT_TYPES, EventType
from marketplace.installs.webhooks.forms import (
    ENVIRONMENT_TEXTS,
    EndpointForm,
    NewEndpointForm,
)
from marketplace.installs.webhooks.services import endpoints as services
from marketplace.installs.webhooks.views.blueprint import blueprint, own_endpoint
from marketplace.installs.webhooks.week_chart import DayCounts, week_chart

DAYS, PER_PAGE = 7, 25
STATES = {
    DeliveryState.WAITING: "Waiting",
    DeliveryState.DELIVERED: "Delivered",
    DeliveryState.FAILED: "Failed",
    DeliveryState.CANCELED: "Canceled",
}


@blueprint.get("")
@needs("webhooks.read")
def endpoints() -> ResponseReturnValue:
    """The endpoints of the active partner organization, and how each is doing."""
    actor = current_actor()
    rows = queries.endpoints_of(actor.organization_id or 0)
    since = clock.now() - timedelta(days=DAYS)
    return render_template(
        "webhooks/endpoints.html",
        endpoints=rows,
        outcomes=queries.outcomes_since((row.id for row in rows), since),
        nothing=DayCounts(),
        may_create=actor.can("webhook.create"),
        most=services.MOST_ENDPOINTS,
    )


@blueprint.get("/events")
@needs("webhooks.read")
def event_types() -> ResponseReturnValue:
    """Every type with its words and an example."""
    return render_template(
        "webhooks/event_types.html",
        kinds=[(kind, _example_of(kind)) for kind in EVENT_TYPES.values()],
    )


@blueprint.get("/new")
@needs("webhook.create")
def create() -> ResponseReturnValue:
    """The form of a new endpoint; `?environment=test` chooses the sandbox's."""
    form = NewEndpointForm(formdata=None)
    if request.args.get("environment") == Environment.TEST.value:
        form.environment.data = Environment.TEST.value
    return _new_page(form)


@blueprint.post("/new")
@needs("webhook.create")
def create_endpoint() -> ResponseReturnValue:
    """Add an endpoint, and go on to its secret."""
    actor = current_actor()
    form = NewEndpointForm()
    try:
        if form.environment.data not in ENVIRONMENT_TEXTS:
            raise InvalidError({"environment": "Choose one of the two."})
        endpoint = services.create_endpoint(
            actor,
            organization_id=actor.organization_id or 0,
            url=form.url.data or "",
            environment=Environment(form.environment.data),
            app=_chosen_app(form),
            event_types=form.event_types.data or (),
            description=form.description.data or "",
        )
    except InvalidError as error:
        return _new_page(form, show_errors(form, error)), 422
    except ConflictError as error:
        return _new_page(form, [error.detail]), 409
    flash(
        "The endpoint is added. Copy its secret into your app, then send a test event.", "success"
    )
    return redirect(url_for("webhooks.secret", endpoint_id=endpoint.public_id), 303)


@blueprint.get("/<endpoint_id>")
@needs("webhook.read", load=own_endpoint, name="endpoint")
def endpoint(endpoint: WebhookEndpoint) -> ResponseReturnValue:
    """How an endpoint is doing, and its deliveries."""
    wanted = request.args.get("state", "")
    state = next((state for state in STATES if state.value == wanted), None)
    kind = request.args.get("type", "")
    kind = kind if kind in EVENT_TYPES else ""
    page = paginate(
        queries.deliveries(endpoint.id, state=state, kind=kind),
        page=page_number(request.args.get("page")),
        per_page=PER_PAGE,
    )
    days = _days(clock.now())
    return render_template(
        "webhooks/endpoint.html",
        endpoint=endpoint,
        page=page,
        chart=week_chart([day.date() for day in days], queries.outcomes_by_day(endpoint.id, days)),
        waiting=queries.count_waiting(endpoint.id),
        states=STATES,
        state=state,
        kind=kind,
        kinds=EVENT_TYPES,
        page_args={
            "endpoint_id": endpoint.public_id,
            **({"state": state.value} if state else {}),
            **({"type": kind} if kind else {}),
        },
        may_manage=current_actor().can("webhook.manage", endpoint),
    )


@blueprint.get("/<endpoint_id>/edit")
@needs("webhook.manage", load=own_endpoint, name="endpoint", hidden=False)
def edit(endpoint: WebhookEndpoint) -> ResponseReturnValue:
    """The form to change it."""
    form = EndpointForm(
        formdata=None,
        data={
            "url": endpoint.url,
            "description": endpoint.description,
            "app": endpoint.app.public_id if endpoint.app else "",
            "event_types": endpoint.event_types,
            "seen": fingerprints.of_endpoint(endpoint),
        },
    )
    return _edit_page(endpoint, form)


@blueprint.post("/<endpoint_id>/edit")
@needs("webhook.manage", load=own_endpoint, name="endpoint", hidden=False)
def change(endpoint: WebhookEndpoint) -> ResponseReturnValue:
    """Change it, unless a colleague saved something else meanwhile."""
    form = EndpointForm()
    try:
        services.change_endpoint(
            current_actor(),
            endpoint,
            seen=form.seen.data or "",
            url=form.url.data or "",
            app=_chosen_app(form, endpoint.app),
            event_types=form.event_types.data or (),
            description=form.description.data or "",
        )
    except services.StaleError as error:
        form.seen.data = fingerprints.of_endpoint(endpoint)
        return _edit_page(endpoint, form, [error.detail], is_stale=True), 409
    except InvalidError as error:
        return _edit_page(endpoint, form, show_errors(form, error)), 422
    flash("Saved. Events go there from now on.", "success")
    return redirect(url_for("webhooks.endpoint", endpoint_id=endpoint.public_id), 303)


@blueprint.get("/<endpoint_id>/deletion")
@needs("webhook.manage", load=own_endpoint, name="endpoint", hidden=False)
def deletion(endpoint: WebhookEndpoint) -> ResponseReturnValue:
    """The question before it is deleted."""
    return render_template(
        "webhooks/deletion.html", endpoint=endpoint, waiting=queries.count_waiting(endpoint.id)
    )


@blueprint.post("/<endpoint_id>/deletion")
@needs("webhook.manage", load=own_endpoint, name="endpoint", hidden=False)
def delete(endpoint: WebhookEndpoint) -> ResponseReturnValue:
    """Delete it."""
    services.delete_endpoint(current_actor(), endpoint)
    flash("The endpoint is deleted. Nothing more is sent to it.", "success")
    return redirect(url_for("webhooks.endpoints"), 303)


def _example_of(kind: EventType) -> str:
    content = {"type": kind.name, "timestamp": "2026-11-23T18:52:00.123Z", "data": kind.example}
    return json.dumps(content, indent=2, ensure_ascii=False)


def _days(at: datetime) -> list[datetime]:
    today = at.replace(hour=0, minute=0, second=0, microsecond=0)
    return [today - timedelta(days=ago) for ago in reversed(range(DAYS))]


def _chosen_app(form: EndpointForm, current: App | None = None) -> App | None:
    """The chosen app, None for all. Raises InvalidError for one that is not the partner's."""
    chosen = str(form.app.data or "")
    if not chosen:
        return None
    # An endpoint keeps its app even when that was archived since.
    if current is not None and current.public_id == chosen:
        return current
    app = queries.find_app(current_actor().organization_id or 0, chosen)
    if app is None:
        raise InvalidError({"app": "Choose one of your apps."})
    return app


def _new_page(form: NewEndpointForm, extra: list[str] | None = None) -> str:
    form.offer_apps(queries.apps_of(current_actor().organization_id or 0))
    return render_template(
        "webhooks/new.html", form=form, extra=extra or [], environment_texts=ENVIRONMENT_TEXTS
    )


def _edit_page(
    endpoint: WebhookEndpoint,
    form: EndpointForm,
    extra: list[str] | None = None,
    *,
    is_stale: bool = False,
) -> str:
    apps = list(queries.apps_of(endpoint.organization_id))
    if endpoint.app is not None and endpoint.app not in apps:
        apps.append(endpoint.app)
    form.offer_apps(apps)
    return render_template(
        "webhooks/edit.html", endpoint=endpoint, form=form, extra=extra or [], is_stale=is_stale
    )
