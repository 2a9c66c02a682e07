"""The staff queue of reports, their decisions and appeals."""

from collections.abc import Callable

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.catalogue.engagement.abuse_cases import REASONS, WAITING, may_become
from marketplace.catalogue.engagement.forms import ReasonForm
from marketplace.catalogue.engagement.queries.cases import (
    find_appeal,
    find_case,
    open_appeals,
    other_cases,
    page_of_cases,
)
from marketplace.catalogue.engagement.services import appeals, cases
from marketplace.catalogue.engagement.views.blueprints import engagement
from marketplace.catalogue.engagement.views.returning import show_errors
from marketplace.catalogue.models import AbuseCase, Appeal, AppealState, CaseState
from marketplace.core.errors import InvalidError
from marketplace.core.pagination import page_number
from marketplace.core.permissions import Actor, current_actor, needs

# What the tabs of the queue show.
SHOWN: dict[str, tuple[str, tuple[CaseState, ...]]] = {
    "waiting": ("Waiting", WAITING),
    "appealed": ("Appeals", ()),
    "suspended": ("Suspended", (CaseState.SUSPENDED,)),
    "reinstated": ("Reinstated", (CaseState.REINSTATED,)),
    "dismissed": ("Dismissed", (CaseState.DISMISSED,)),
}
DECISIONS = ("dismissal", "suspension", "reinstatement", "grant", "denial")


@engagement.get("/staff/abuse")
@needs("cases.handle")
def staff_cases() -> ResponseReturnValue:
    """The queue, the longest waiting first."""
    shown = request.args.get("show", "waiting")
    shown = shown if shown in SHOWN else "waiting"
    page = page_of_cases(
        SHOWN[shown][1], page_number(request.args.get("page")), appealed=shown == "appealed"
    )
    return render_template(
        "engagement/staff_cases.html",
        page=page,
        shown=shown,
        tabs_shown=SHOWN,
        appeals_open=open_appeals(),
        reasons=REASONS,
    )


@engagement.get("/staff/abuse/<number>")
@needs("cases.handle", load=find_case, name="case")
def staff_case(case: AbuseCase) -> ResponseReturnValue:
    """One case with its history and what may be decided."""
    return _page(case)


@engagement.post("/staff/abuse/<number>/assignment")
@needs("case.decide", load=find_case, name="case")
def take_case(case: AbuseCase) -> ResponseReturnValue:
    """Investigate it oneself."""
    cases.take_case(current_actor(), case)
    flash("The case is yours.", "success")
    return _back(case)


@engagement.post("/staff/abuse/<number>/dismissal")
@needs("case.decide", load=find_case, name="case")
def dismiss_case(case: AbuseCase) -> ResponseReturnValue:
    """Do not act on it."""
    return _decided(case, "dismissal", cases.dismiss_case, "The report is dismissed.")


@engagement.post("/staff/abuse/<number>/suspension")
@needs("case.decide", load=find_case, name="case")
def suspend_for_case(case: AbuseCase) -> ResponseReturnValue:
    """Suspend the listing."""
    return _decided(case, "suspension", cases.suspend_for_case, "The listing is suspended.")


@engagement.post("/staff/abuse/<number>/reinstatement")
@needs("case.decide", load=find_case, name="case")
def reinstate_case(case: AbuseCase) -> ResponseReturnValue:
    """End the suspension."""
    return _decided(case, "reinstatement", cases.reinstate_case, "The suspension has ended.")


@engagement.post("/staff/appeals/<int:appeal_id>/grant")
@needs("appeal.decide", load=find_appeal, name="appeal", hidden=False)
def grant_appeal(appeal: Appeal) -> ResponseReturnValue:
    """Agree with the publisher."""

    def grant(actor: Actor, _case: AbuseCase, reason: str) -> None:
        appeals.grant_appeal(actor, appeal, reason)

    return _decided(appeal.case, "grant", grant, "The appeal is granted.")


@engagement.post("/staff/appeals/<int:appeal_id>/denial")
@needs("appeal.decide", load=find_appeal, name="appeal", hidden=False)
def deny_appeal(appeal: Appeal) -> ResponseReturnValue:
    """Uphold the suspension."""

    def deny(actor: Actor, _case: AbuseCase, reason: str) -> None:
        appeals.deny_appeal(actor, appeal, reason)

    return _decided(appeal.case, "denial", deny, "The appeal is denied.")


def _decided(
    case: AbuseCase, decision: str, decide: Callable[[Actor, AbuseCase, str], None], done: str
) -> ResponseReturnValue:
    form = ReasonForm(prefix=decision)
    try:
        decide(current_actor(), case, form.reason.data or "")
    except InvalidError as error:
        show_errors(form, error)
        return _page(case, refused={decision: form}), 422
    flash(done, "success")
    return _back(case)


def _back(case: AbuseCase) -> ResponseReturnValue:
    return redirect(url_for("engagement.staff_case", number=case.number), code=303)


def _page(case: AbuseCase, refused: dict[str, ReasonForm] | None = None) -> str:
    actor = current_actor()
    forms = {
        decision: (refused or {}).get(decision) or ReasonForm(formdata=None, prefix=decision)
        for decision in DECISIONS
    }
    may = actor.can("case.decide", case)
    waiting = next((a for a in case.appeals if a.state is AppealState.OPEN), None)
    return render_template(
        "engagement/staff_case.html",
        case=case,
        reasons=REASONS,
        others=other_cases(case),
        forms=forms,
        may_decide=may,
        may_take=may
        and may_become(case.state, CaseState.INVESTIGATING)
        and case.assigned_to_id != actor.user_id,
        may_dismiss=may and may_become(case.state, CaseState.DISMISSED),
        may_suspend=may and may_become(case.state, CaseState.SUSPENDED),
        may_reinstate=may and may_become(case.state, CaseState.REINSTATED) and waiting is None,
        waiting=waiting,
        may_decide_appeal=waiting is not None and actor.can("appeal.decide", waiting),
        most=cases.MAX_REASON,
    )
