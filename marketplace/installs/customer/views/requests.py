"""What members asked their admins to install."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.pagination import page_number
from marketplace.core.permissions import current_actor, needs
from marketplace.identity.models import Organization
from marketplace.identity.queries import find_organization
from marketplace.installs.customer.forms import DeclineForm
from marketplace.installs.customer.queries import requests as queries
from marketplace.installs.customer.services import requests as services
from marketplace.installs.customer.showing import updates_asked_for
from marketplace.installs.customer.views.blueprints import installs, tabs_of
from marketplace.installs.customer.views.form_errors import show_errors
from marketplace.installs.models import InstallRequest, InstallRequestState

_PATH = "/organizations/<slug>/apps/requests/<int:install_request_id>"


@installs.get("/organizations/<slug>/apps/requests", endpoint="requests")
@needs("apps.view", load=find_organization, name="organization")
def index(organization: Organization) -> ResponseReturnValue:
    """Open requests, or those that were closed."""
    is_open = request.args.get("show") != "closed"
    waiting, closed = queries.counts(organization.id)
    page = queries.page_of_requests(
        organization.id, is_open=is_open, page=page_number(request.args.get("page"))
    )
    return render_template(
        "installs/requests.html",
        organization=organization,
        tabs=tabs_of(organization, "installs.requests"),
        page=page,
        updates=updates_asked_for(organization.id, page.items) if is_open else {},
        is_open=is_open,
        waiting=waiting,
        closed=closed,
        manages=current_actor().can("apps.manage", organization),
        user_id=current_actor().user_id,
    )


@installs.get(f"{_PATH}/decline")
@needs("install_request.decide", load=queries.find_request, name="asked")
def decline_form(asked: InstallRequest) -> ResponseReturnValue:
    """Ask for a word to the member."""
    if asked.state is not InstallRequestState.OPEN:
        flash(services.CLOSED, "warning")
        return _list(asked)
    return _decline_page(asked, DeclineForm(formdata=None))


@installs.post(f"{_PATH}/decline")
@needs("install_request.decide", load=queries.find_request, name="asked")
def decline_request(asked: InstallRequest) -> ResponseReturnValue:
    """Say no."""
    form = DeclineForm()
    try:
        services.decline_request(current_actor(), asked.organization, asked, form.note.data or "")
    except InvalidError as error:
        show_errors(form, error)
        return _decline_page(asked, form), 422
    except ConflictError as error:
        flash(error.detail, "warning")
        return _list(asked)
    flash("Declined. The person who asked is mailed.", "success")
    return _list(asked)


@installs.post(f"{_PATH}/withdraw")
@needs("install_request.withdraw", load=queries.find_request, name="asked")
def withdraw_request(asked: InstallRequest) -> ResponseReturnValue:
    """Ask no more."""
    try:
        services.withdraw_request(current_actor(), asked)
        flash("Your request is withdrawn.", "success")
    except ConflictError as error:
        flash(error.detail, "warning")
    return _list(asked)


def _list(asked: InstallRequest) -> ResponseReturnValue:
    return redirect(url_for("installs.requests", slug=asked.organization.slug), code=303)


def _decline_page(asked: InstallRequest, form: DeclineForm) -> str:
    return render_template(
        "installs/decline_request.html", asked=asked, form=form, max_note=services.MAX_NOTE
    )
