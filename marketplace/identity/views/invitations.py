"""Answering an invitation: by the mailed link, or from the account pages."""

from flask import flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.core.errors import NotFoundError
from marketplace.core.limits import limiter
from marketplace.core.permissions import current_actor, needs, public
from marketplace.identity import queries
from marketplace.identity.models import Invitation
from marketplace.identity.roles import LABELS
from marketplace.identity.services import invitations as services
from marketplace.identity.views.blueprint import ID, blueprint


def _find_by_token() -> Invitation:
    invitation = services.find_by_token(request.values.get("token", ""))
    if invitation is None:
        raise NotFoundError("The link is not complete, or a newer one was sent. Check your mail.")
    return invitation


# The token is a query parameter, not part of the path: paths are logged, queries are not.
@blueprint.get("/invitations")
@public("whoever has the mailed link sees what it is for; accepting needs more")
@limiter.limit("60 per minute")
def invitation() -> ResponseReturnValue:
    """The page of a mailed link."""
    found = _find_by_token()
    actor = current_actor()
    closed = services.why_closed(found)
    page = render_template(
        "identity/invitation.html",
        invitation=found,
        token=request.args["token"],
        closed=closed,
        is_member=actor.role_in(found.organization_id) is not None,
        addressed=services.is_addressed_to(actor, found),
        role_label=LABELS[found.role],
        here=request.full_path,
    )
    response = make_response(page, 410 if closed else 200)
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


@blueprint.post("/invitations/acceptance")
@needs("account.use")
def accept_by_link() -> ResponseReturnValue:
    """Accept with the link's token."""
    return _accept(_find_by_token())


@blueprint.get("/invitations/refusal")
@needs("account.use")
def declining_by_link() -> ResponseReturnValue:
    """Ask whether that is meant: a declined invitation is over."""
    found, token = _find_by_token(), request.args["token"]
    response = make_response(
        _declining(
            found,
            action=url_for("identity.decline_by_link"),
            back=url_for("identity.invitation", token=token),
            token=token,
        )
    )
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


@blueprint.post("/invitations/refusal")
@needs("account.use")
def decline_by_link() -> ResponseReturnValue:
    """Decline with the link's token."""
    return _decline(_find_by_token())


@blueprint.post(f"/account/invitations/<{ID}:invitation_id>/acceptance")
@needs("invitation.answer", load=queries.find_invitation, name="found")
def accept_invitation(found: Invitation) -> ResponseReturnValue:
    """Accept an invitation to one of the actor's confirmed addresses."""
    return _accept(found)


@blueprint.get(f"/account/invitations/<{ID}:invitation_id>/refusal")
@needs("invitation.answer", load=queries.find_invitation, name="found")
def declining(found: Invitation) -> ResponseReturnValue:
    """The same, from the account pages."""
    return _declining(
        found,
        action=url_for("identity.decline_invitation", invitation_id=found.id),
        back=url_for("identity.organizations"),
    )


@blueprint.post(f"/account/invitations/<{ID}:invitation_id>/refusal")
@needs("invitation.answer", load=queries.find_invitation, name="found")
def decline_invitation(found: Invitation) -> ResponseReturnValue:
    """Decline an invitation to one of the actor's confirmed addresses."""
    return _decline(found)


def _declining(found: Invitation, *, action: str, back: str, token: str = "") -> str:
    return render_template(
        "identity/decline_invitation.html",
        invitation=found,
        action=action,
        back=back,
        token=token,
    )


def _accept(found: Invitation) -> ResponseReturnValue:
    name = found.organization.name
    membership = services.accept(current_actor(), found)
    flash(f"You are a member of {name}, as {LABELS[membership.role].lower()}.", "success")
    return redirect(url_for("identity.landing"))


def _decline(found: Invitation) -> ResponseReturnValue:
    name = found.organization.name
    services.decline(current_actor(), found)
    flash(f"You declined the invitation to {name}.", "success")
    return redirect(url_for("identity.organizations"))
