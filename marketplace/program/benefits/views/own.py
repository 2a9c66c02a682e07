"""Benefits as a partner sees them: what its tier gives, what is left, its claims, its rights."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.core import clock
from marketplace.core.csv_export import csv_response
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.limits import limiter
from marketplace.core.pagination import page_number
from marketplace.core.permissions import current_actor, needs
from marketplace.program.benefits import queries
from marketplace.program.benefits.forms import ClaimForm
from marketplace.program.benefits.models import BenefitClaim
from marketplace.program.benefits.rules import Allowance, is_included, limit_of, year_of
from marketplace.program.benefits.services import claiming
from marketplace.program.benefits.texts import STATES
from marketplace.program.benefits.views.blueprints import benefits
from marketplace.program.policy.live import current_policy
from marketplace.program.policy.rights import rights_in_spaces
from marketplace.program.policy.words import entitlement_words
from marketplace.program.standing.reading import place_of

_LIMIT = limiter.limit("120 per hour", key_func=lambda: f"user:{current_actor().user_id}")
MOST_IN_FILE = 10_000


@benefits.get("/partner/benefits")
@needs("benefits.read")
def index() -> ResponseReturnValue:
    """What the partner's tier gives, how many are left this year, and its claims."""
    return _page(ClaimForm(formdata=None))


@benefits.post("/partner/benefits/<benefit_key>/claim")
@needs("benefits.claim")
@_LIMIT
def claim(benefit_key: str) -> ResponseReturnValue:
    """Claim one. 409 when none is left."""
    form = ClaimForm()
    actor = current_actor()
    try:
        row = claiming.claim(
            actor.organization_id or 0,
            benefit_key,
            note=form.note.data or "",
            by_user_id=actor.user_id,
            form_key=form.form_key.data or "",
        )
    except InvalidError as error:
        form.note.errors = list(error.fields.values())
        return _page(form, benefit_key=benefit_key), 422
    except ConflictError as error:
        return _page(form, benefit_key=benefit_key, problem=error.detail), 409
    flash(f"{row.benefit_name} is claimed. You are told by mail when it is done.", "success")
    return redirect(url_for("benefits.index"), code=303)


@benefits.post("/partner/benefits/claims/<benefit_claim_id>/withdraw")
@needs("benefit_claim.withdraw", load=queries.find_claim, name="claim")
def withdraw(claim: BenefitClaim) -> ResponseReturnValue:
    """Take a claim back."""
    try:
        claiming.withdraw(claim, by_user_id=current_actor().user_id)
        flash("Withdrawn. It does not count any more.", "success")
    except ConflictError as error:
        flash(error.detail, "warning")
    return redirect(url_for("benefits.index"), code=303)


@benefits.get("/partner/benefits/claims.csv")
@needs("benefits.read")
def claims_csv() -> ResponseReturnValue:
    """The partner's own claims as a table."""
    rows = queries.all_of(current_actor().organization_id or 0, MOST_IN_FILE)
    return csv_response(
        "benefit-claims.csv",
        ("claim", "benefit", "year", "state", "note", "answer", "claimed_at", "decided_at"),
        (
            (
                row.public_id,
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


def _page(form: ClaimForm, *, benefit_key: str = "", problem: str = "") -> str:
    actor = current_actor()
    own_id = actor.organization_id or 0
    live = current_policy()
    place = place_of(own_id)
    year = year_of(clock.now())
    taken = queries.taken(own_id, year)
    allowances: list[Allowance] = []
    given: list[tuple[str, str, str]] = []
    if live is not None:
        for benefit in live.policy.benefits:
            limit = limit_of(live.policy, benefit, place.partner_type, place.tier)
            if limit or taken.get(benefit.key):
                allowances.append(Allowance(benefit, limit, taken.get(benefit.key, 0)))
        if place.tier:
            given += [
                (each.name, "Included", each.text)
                for each in live.policy.benefits
                if is_included(each)
            ]
        for each in live.policy.entitlements:
            value = place.entitlement(live.policy, each.key)
            if value is not False:
                words = entitlement_words(live.policy, each.key, value)
                given.append((each.name, words, each.text))
    page = queries.claims_of(own_id, page_number(request.args.get("page")))
    return render_template(
        "benefits/index.html",
        live=live,
        place=place,
        tier=live.policy.tier(place.tier) if live else None,
        year=year,
        allowances=allowances,
        given=given,
        rights=rights_in_spaces(place, live.policy) if live else [],
        page=page,
        people=queries.people_by_id([row.claimed_by_id for row in page.items]),
        states=STATES,
        form=form,
        benefit_key=benefit_key,
        problem=problem,
        may_claim=actor.can("benefits.claim"),
    )
