"""Parts of the portal that a partner has not, by its type or because it takes no part in the
program: pages refuse, the menu leaves them out."""

from flask import Flask, current_app, g, request, url_for

from marketplace.core.errors import ForbiddenError
from marketplace.core.permissions import Actor, current_actor, may_open
from marketplace.identity.one_person import is_for_one_person
from marketplace.program.modules import (
    BEFORE_ADMISSION,
    FOR_ONE_PERSON,
    FOR_PARTNERS,
    FOR_PARTNERS_AND_APPLICANTS,
    MODULES,
    module_of,
)
from marketplace.program.policy.document import Entry, PartnerType
from marketplace.program.policy.live import current_policy, forget_current_policy
from marketplace.program.standing.reading import Place, has_module, place_of
from marketplace.program.standing.taking_part import SUSPENDED, NotTakingPartError, why_not


class NotInProgramError(ForbiddenError):
    """A part of the portal that the partner's type has not."""

    title = "Not part of your program"


def may_use_module(actor: Actor, module: str | None) -> bool:
    """Whether the organization that a person acts for has a part of the portal.

    Only partners are restricted: by a type that the policy restricts, to what one person learns and
    builds with where an organization is for one person, and to publishing, building and learning
    while it is not in the program, or suspended. Three queries at most in a request.
    """
    active = actor.organization
    if module is None or active is None or active.organization_kind != "partner":
        return True
    if module not in FOR_ONE_PERSON and _is_for_one_person(active.organization_id):
        return False
    if module not in BEFORE_ADMISSION and why_not(_place(active.organization_id)):
        return False
    return has_module(active.partner_type, module)


def _may_use(actor: Actor, endpoint: str) -> bool:
    """Whether the organization has the part of the portal that an endpoint belongs to, or may go to
    an endpoint of no part. One query at most for the latter."""
    module = module_of(endpoint)
    if module is not None:
        return may_use_module(actor, module)
    return not _why_not_to(actor, endpoint)


def _why_not_to(actor: Actor, endpoint: str) -> str:
    """Why an organization may not go to an endpoint of no part, because it takes no part in the
    program; empty when it may."""
    active = actor.organization
    if active is None or active.organization_kind != "partner":
        return ""
    if endpoint.startswith(FOR_PARTNERS):
        return why_not(_place(active.organization_id))
    if endpoint.startswith(FOR_PARTNERS_AND_APPLICANTS):
        return SUSPENDED if _place(active.organization_id).is_suspended else ""
    return ""


def _place(organization_id: int) -> Place:
    known: dict[int, Place] = g.setdefault("places", {})
    if organization_id not in known:
        known[organization_id] = place_of(organization_id)
    return known[organization_id]


def _is_for_one_person(organization_id: int) -> bool:
    known: dict[int, bool] = g.setdefault("for_one_person", {})
    if organization_id not in known:
        known[organization_id] = is_for_one_person(organization_id)
    return known[organization_id]


def may_go_to(endpoint: str) -> bool:
    """Whether a link to that endpoint leads somewhere for the person of this request, by their role
    and by what their organization has, or may use while it takes no part in the program."""
    actor = current_actor()
    view = current_app.view_functions.get(endpoint)
    return may_open(actor, view) and _may_use(actor, endpoint)


def _refuse_what_is_closed() -> None:
    """Before each request: what the organization's type has not is refused, and to who takes no
    part in the program what is for those who do."""
    forget_current_policy()
    g.pop("for_one_person", None)
    g.pop("places", None)
    if not request.path.startswith("/partner") or request.path.startswith("/partners"):
        return
    endpoint = request.endpoint or ""
    module = module_of(endpoint)
    if module is None and not endpoint.startswith((*FOR_PARTNERS, *FOR_PARTNERS_AND_APPLICANTS)):
        return
    actor = current_actor()
    if _may_use(actor, endpoint):
        return
    live = current_policy()
    active = actor.organization
    kind = live.policy.type(active.partner_type) if live and active else None
    if module is None:
        if active and (refusal := _why_not_to(actor, endpoint)):
            raise _refused(refusal, kind, _place(active.organization_id))
        return
    # What the type never has is not worth an application.
    if active and has_module(active.partner_type, module):
        place = _place(active.organization_id)
        if refusal := why_not(place):
            raise _refused(refusal, kind, place)
    name = f" of type {kind.name}" if kind else ""
    raise NotInProgramError(
        f"{MODULES[module].name} is not open to partners{name}. Ask your contact for the program "
        "if you need it."
    )


def _refused(refusal: str, kind: PartnerType | None, place: Place) -> NotTakingPartError:
    """The refusal, with the way into the program."""
    error = NotTakingPartError(refusal)
    if place.is_suspended or "joining.start" not in current_app.view_functions:
        return error
    if kind is None or not kind.is_open:
        error.action = ("See how to join", url_for("joining.start"))
    else:
        verb = "Apply" if kind.entry is Entry.APPLICATION else "Join"
        error.action = (f"{verb} as {kind.name}", url_for("joining.form", join_type=kind.key))
    return error


def setup_module_gate(app: Flask) -> None:
    """Let the application ask before each request."""
    app.before_request(_refuse_what_is_closed)
    app.jinja_env.globals["may_go_to"] = may_go_to
