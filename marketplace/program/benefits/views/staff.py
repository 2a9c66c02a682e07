"""The staff's queue of claims."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.core.csv_export import csv_response
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.pagination import page_number
from marketplace.core.permissions import current_actor, needs
from marketplace.program.benefits import mails, queries
from marketplace.program.benefits.forms import DecideForm
from marketplace.program.benefits.models import BenefitClaim, ClaimState
from marketplace.program.benefits.services import claiming
from marketplace.program.benefits.texts import STATES
from marketplace.program.benefits.views.blueprints import benefits_staff

_CLAIM = needs("benefits.fulfil", load=queries.find_claim, name="claim")
MOST_IN_FILE = 10_000


@benefits_staff.get("/staff/benefits")
@needs("benefits.fulfil")
def claims() -> ResponseReturnValue:
    """Open claims, the oldest first; others by filter."""
    state, benefit, text = _asked()
    page = queries.page_of_queue(state, benefit, text, page_number(request.args.get("page")))
    return render_template(
        "benefits/claims.html",
        page=page,
        state=state,
        benefit=benefit,
        q=text,
        benefits=queries.names_of_benefits(),
        organizations=queries.organizations_by_id([row.organization_id for row in page.items]),
        people=queries.people_by_id([row.claimed_by_id for row in page.items]),
        states=STATES,
        args={"state": request.args.get("state"), "benefit": benefit or None, "q": text or None},
    )


@benefits_staff.get("/staff/benefits/claims.csv")
@needs("benefits.fulfil")
def claims_csv() -> ResponseReturnValue:
    """The same claims as a table, at most 10,000."""
    rows = list(db.session.scalars(queries.queue(*_asked()).limit(MOST_IN_FILE)))
    organizations = queries.organizations_by_id([row.organization_id for row in rows])
    head = ("claim", "partner", "tier", "benefit", "year", "state", "note", "answer")
    return csv_response(
        "benefit-claims.csv",
        (*head, "claimed_at", "decided_at"),
        (
            (
                row.public_id,
                organizations[row.organization_id].name,
                row.tier,
                row.benefit_name,
                row.year,
                row.state.value,
                row.note,
                row.answer,
                row.claimed_at,
                row.decided_at,
            )
            for row in rows
        ),
    )


@benefits_staff.get("/staff/benefits/claims/<benefit_claim_id>")
@_CLAIM
def claim(claim: BenefitClaim) -> ResponseReturnValue:
    """One claim, and the form to decide about it."""
    form = DecideForm(formdata=None)
    form.outcome.data = "fulfil"
    return _page(claim, form)


@benefits_staff.post("/staff/benefits/claims/<benefit_claim_id>")
@_CLAIM
def decide(claim: BenefitClaim) -> ResponseReturnValue:
    """Fulfil or refuse it; the partner is told by mail."""
    form = DecideForm()
    if form.outcome.data not in {"fulfil", "refuse"}:
        form.outcome.errors = ["Choose one."]
        return _page(claim, form), 422
    try:
        decided = claiming.decide(
            claim,
            fulfilled=form.outcome.data == "fulfil",
            answer=form.answer.data or "",
            by_user_id=current_actor().user_id,
        )
    except InvalidError as error:
        form.answer.errors = list(error.fields.values())
        return _page(claim, form), 422
    except ConflictError as error:
        flash(error.detail, "warning")
        return redirect(url_for("benefits_staff.claim", benefit_claim_id=claim.public_id), code=303)
    mails.tell_decided(decided)
    flash("Decided. The partner is told by mail.", "success")
    return redirect(url_for("benefits_staff.claims"), code=303)


def _asked() -> tuple[ClaimState | None, str, str]:
    """What is asked for: the state (open ones unless told), a benefit, a partner's name."""
    chosen = request.args.get("state", ClaimState.CLAIMED.value)
    state = ClaimState(chosen) if chosen in {each.value for each in ClaimState} else None
    text = request.args.get("q", "").replace("\x00", "").strip()[:80]
    return state, request.args.get("benefit", "").replace("\x00", "")[:40], text


def _page(claim: BenefitClaim, form: DecideForm) -> str:
    return render_template(
        "benefits/claim.html",
        claim=claim,
        form=form,
        organization=queries.organizations_by_id([claim.organization_id])[claim.organization_id],
        people=queries.people_by_id([claim.claimed_by_id, claim.decided_by_id]),
        states=STATES,
        taken=queries.taken(claim.organization_id, claim.year).get(claim.benefit, 0),
    )
