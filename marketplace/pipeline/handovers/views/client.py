"""The client's page: the link from the mail."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.core.errors import NotFoundError
from marketplace.core.limits import limiter
from marketplace.core.permissions import current_actor, needs, public
from marketplace.pipeline.handovers import queries, services
from marketplace.pipeline.handovers.forms import TakeOverForm
from marketplace.pipeline.handovers.models import ClientWorkspace
from marketplace.pipeline.handovers.share import program_for
from marketplace.pipeline.handovers.views.blueprints import handovers


@handovers.get("/handovers")
@public("whoever has the link may read what it is; opening it changes nothing")
@limiter.limit("60 per hour")
def opened() -> ResponseReturnValue:
    """What is handed over, and to whom."""
    token = request.args.get("token", "")
    form = TakeOverForm(formdata=None)
    form.token.data = token
    workspace = _find(token)
    actor = current_actor()
    return render_template(
        "handovers/opened.html",
        workspace=workspace,
        form=form,
        apps=queries.installed(workspace.customer_id),
        is_mine=services.is_addressed_to(actor, workspace),
        earns=program_for(workspace.partner_id) is not None,
        here=url_for("handovers.opened", token=token),
    )


@handovers.post("/handovers")
@needs("account.use")
def take_over() -> ResponseReturnValue:
    """Take it over."""
    form = TakeOverForm()
    workspace = _find(form.token.data or "")
    services.take_over(workspace, keep_access=bool(form.keep_access.data), actor=current_actor())
    flash(f"{workspace.customer.name} is yours.", "success")
    return redirect(url_for("identity.members", slug=workspace.customer.slug), 303)


def _find(token: str) -> ClientWorkspace:
    workspace = services.find_offered(token)
    if workspace is None:
        raise NotFoundError("This link is no longer open. Ask for a new one.")
    return workspace
