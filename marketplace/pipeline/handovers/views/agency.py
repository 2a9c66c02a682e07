"""The agency's pages."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.core.errors import InvalidError
from marketplace.core.limits import limiter
from marketplace.core.pagination import page_number, paginate
from marketplace.core.permissions import current_actor, needs
from marketplace.pipeline.handovers import queries, services
from marketplace.pipeline.handovers.forms import OfferForm, SetUpForm
from marketplace.pipeline.handovers.models import ClientWorkspace
from marketplace.pipeline.handovers.share import program_for, share_in_words
from marketplace.pipeline.handovers.views.blueprints import handovers
from marketplace.sales.form_errors import show_errors

PER_PAGE = 20
_PATH = "/partner/clients/<workspace_id>"
_OWN = needs("client_workspace.manage", load=queries.find, name="workspace")


@handovers.get("/partner/clients")
@needs("clients.use")
def index() -> ResponseReturnValue:
    """The workspaces that were set up for clients."""
    return _index(SetUpForm(formdata=None))


@handovers.post("/partner/clients")
@needs("clients.use")
@limiter.limit("30 per hour", key_func=lambda: f"user:{current_actor().user_id}")
def set_up() -> ResponseReturnValue:
    """Set one up."""
    form = SetUpForm()
    try:
        made = services.set_up(form.name.data or "", actor=current_actor())
    except InvalidError as error:
        show_errors(form, error)
        return _index(form), 422
    flash("The workspace is there, and yours until you hand it over.", "success")
    return redirect(url_for("handovers.workspace", workspace_id=made.public_id), 303)


@handovers.get(_PATH)
@_OWN
def workspace(workspace: ClientWorkspace) -> ResponseReturnValue:
    """One workspace."""
    return _page(workspace, OfferForm(formdata=None))


@handovers.post(f"{_PATH}/offer")
@_OWN
@limiter.limit("20 per hour", key_func=lambda: f"user:{current_actor().user_id}")
def offer(workspace: ClientWorkspace) -> ResponseReturnValue:
    """Send the client the link."""
    form = OfferForm()
    try:
        services.offer(workspace, form.email.data or "", actor=current_actor())
    except InvalidError as error:
        show_errors(form, error)
        return _page(workspace, form), 422
    flash("The link is on its way. It is open for 14 days.", "success")
    return redirect(url_for("handovers.workspace", workspace_id=workspace.public_id), 303)


@handovers.post(f"{_PATH}/offer/withdrawal")
@_OWN
def take_back(workspace: ClientWorkspace) -> ResponseReturnValue:
    """End the link that was sent."""
    services.take_back(workspace, actor=current_actor())
    flash("The link no longer works.", "success")
    return redirect(url_for("handovers.workspace", workspace_id=workspace.public_id), 303)


def _index(form: SetUpForm) -> str:
    partner_id = current_actor().organization_id or 0
    program = program_for(partner_id)
    return render_template(
        "handovers/index.html",
        page=paginate(
            queries.workspaces_of(partner_id),
            page=page_number(request.args.get("page")),
            per_page=PER_PAGE,
        ),
        form=form,
        share=share_in_words(program) if program else "",
    )


def _page(workspace: ClientWorkspace, form: OfferForm) -> str:
    program = program_for(workspace.partner_id)
    return render_template(
        "handovers/workspace.html",
        workspace=workspace,
        form=form,
        apps=queries.installed(workspace.customer_id),
        earned=queries.earned(workspace),
        share=share_in_words(program) if program else "",
        role=current_actor().role_in(workspace.customer_id),
    )
