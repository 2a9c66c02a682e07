"""Disabling an endpoint, and enabling it with what it missed."""

from datetime import UTC, datetime

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from marketplace.core import clock
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.permissions import current_actor, needs
from marketplace.identity.forms import choices_of, show_errors
from marketplace.installs.models import EndpointState, WebhookEndpoint
from marketplace.installs.webhooks import queries
from marketplace.installs.webhooks.forms import EnableForm
from marketplace.installs.webhooks.services import switching as services
from marketplace.installs.webhooks.views.blueprint import blueprint, own_endpoint


@blueprint.get("/<endpoint_id>/disabling")
@needs("webhook.manage", load=own_endpoint, name="endpoint", hidden=False)
def disabling(endpoint: WebhookEndpoint) -> ResponseReturnValue:
    """The question before it is disabled."""
    return render_template(
        "webhooks/disabling.html", endpoint=endpoint, waiting=queries.count_waiting(endpoint.id)
    )


@blueprint.post("/<endpoint_id>/disabling")
@needs("webhook.manage", load=own_endpoint, name="endpoint", hidden=False)
def disable(endpoint: WebhookEndpoint) -> ResponseReturnValue:
    """Disable it."""
    services.disable(current_actor(), endpoint)
    flash("The endpoint is disabled. Nothing is sent to it until you enable it.", "success")
    return redirect(url_for("webhooks.endpoint", endpoint_id=endpoint.public_id), 303)


@blueprint.get("/<endpoint_id>/enabling")
@needs("webhook.manage", load=own_endpoint, name="endpoint", hidden=False)
def enabling(endpoint: WebhookEndpoint) -> ResponseReturnValue:
    """Whether what was missed is to be sent."""
    if endpoint.state is EndpointState.ACTIVE:
        return redirect(url_for("webhooks.endpoint", endpoint_id=endpoint.public_id), 303)
    missed = "disabled" if endpoint.failing_since is None else "failing"
    data = {"since": endpoint.disabled_at, "missed": missed}
    return _page(endpoint, EnableForm(formdata=None, data=data))


@blueprint.post("/<endpoint_id>/enabling")
@needs("webhook.manage", load=own_endpoint, name="endpoint", hidden=False)
def enable(endpoint: WebhookEndpoint) -> ResponseReturnValue:
    """Enable it."""
    form = EnableForm()
    try:
        since = _chosen_time(endpoint, form)
        # Of the two known moments, what was on its way then is meant too.
        with_undelivered = form.missed.data in {"disabled", "failing"}
        count = services.enable(
            current_actor(), endpoint, since=since, with_undelivered=with_undelivered
        )
    except InvalidError as error:
        return _page(endpoint, form, show_errors(form, error)), 422
    except ConflictError:
        flash("The endpoint is enabled already.", "info")
        return redirect(url_for("webhooks.endpoint", endpoint_id=endpoint.public_id), 303)
    if count:
        what = f" {count:,} event{'s' if count != 1 else ''} that it missed will be sent now."
    else:
        what = " It missed nothing." if since is not None else ""
    flash(f"The endpoint is enabled.{what}", "success")
    return redirect(url_for("webhooks.endpoint", endpoint_id=endpoint.public_id), 303)


def _chosen_time(endpoint: WebhookEndpoint, form: EnableForm) -> datetime | None:
    chosen = form.missed.data
    if chosen == "nothing":
        return None
    known = {"disabled": endpoint.disabled_at, "failing": endpoint.failing_since}
    if known.get(str(chosen)) is not None:
        # One that was disabled long ago gets what is possible.
        earliest = clock.now() - services.LONGEST_RECOVERY
        return max(known[str(chosen)] or earliest, earliest)
    if chosen == "since":
        if form.since.data is None:
            raise InvalidError({"since": "Enter a day and a time."})
        typed: datetime = form.since.data
        return typed.replace(tzinfo=UTC)
    raise InvalidError({"missed": "Choose one of these."})


def _page(endpoint: WebhookEndpoint, form: EnableForm, extra: list[str] | None = None) -> str:
    choices = [("nothing", "Send nothing of it")]
    if endpoint.disabled_at is not None:
        choices.append(
            (
                "disabled",
                "Send everything since it was disabled "
                f"({_moment(endpoint.disabled_at)}), and what waited then",
            )
        )
    if endpoint.failing_since is not None:
        choices.append(
            (
                "failing",
                f"Send everything since it began to fail ({_moment(endpoint.failing_since)}), "
                "from the first event that did not arrive",
            )
        )
    choices.append(("since", "Send everything since a time of your choice"))
    form.missed.choices = choices_of(choices)
    return render_template(
        "webhooks/enabling.html",
        endpoint=endpoint,
        form=form,
        extra=extra or [],
        days=services.LONGEST_RECOVERY.days,
    )


def _moment(at: datetime) -> str:
    return f"{at.day} {at:%b, %H:%M} UTC"
