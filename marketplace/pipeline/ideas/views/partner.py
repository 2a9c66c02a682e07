"""Ideas as partners find, claim and build them."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.core.errors import InvalidError
from marketplace.core.limits import limiter
from marketplace.core.pagination import page_number
from marketplace.core.permissions import current_actor, needs
from marketplace.identity.forms import choices_of
from marketplace.pipeline.ideas import queries
from marketplace.pipeline.ideas.demand import demand_of
from marketplace.pipeline.ideas.forms import EmptyForm, LinkForm, ReportForm
from marketplace.pipeline.ideas.models import SHOWN, Idea, IdeaClaim, IdeaState, LinkKind
from marketplace.pipeline.ideas.services import claiming, fulfilling
from marketplace.pipeline.ideas.views.blueprints import ideas, show_errors, user_key
from marketplace.program.applications.models import RoundKind
from marketplace.program.applications.words import line

_IDEA = "/partner/ideas/<idea_id>"
_CLAIM = "/partner/ideas/claims/<claim_id>"
_BUILD = needs("ideas.build", load=queries.find_shown_idea, name="idea")
_WORK = needs("idea_claim.work", load=queries.find_claim, name="claim")


@ideas.get("/partner/ideas")
@needs("ideas.build")
def partner_index() -> ResponseReturnValue:
    """Ideas with the demand behind them; `?show=mine` for one's own."""
    args = request.args
    own_id = current_actor().organization_id or 0
    shown = args.get("show", "open") if args.get("show") in {"open", "mine", "all"} else "open"
    sort = args.get("sort", "votes") if args.get("sort") in queries.SORTS else "votes"
    text = line(args.get("q"))[:80]
    page = queries.page_of_ideas(
        (IdeaState.OPEN,) if shown == "open" else SHOWN,
        text,
        sort,
        page_number(args.get("page")),
        claimed_by=own_id if shown == "mine" else None,
    )
    ids = [row.id for row in page.items]
    claims = queries.claims_of(ids)
    return render_template(
        "ideas/partner_index.html",
        page=page,
        demand=demand_of(ids, for_partner=own_id),
        claims=claims,
        organizations=queries.organizations(each.organization_id for each in claims.values()),
        shown=shown,
        sort=sort,
        sorts=queries.SORTS,
        q=text,
    )


@ideas.get(_IDEA)
@_BUILD
def partner_idea(idea: Idea) -> ResponseReturnValue:
    """One idea: who wants it, what it led to, and claiming it."""
    return _page(idea)


@ideas.post(f"{_IDEA}/claim")
@_BUILD
@limiter.limit("60 per hour", key_func=user_key)
def partner_claim(idea: Idea) -> ResponseReturnValue:
    """Claim it: 409 when somebody has."""
    claiming.claim(idea, actor=current_actor())
    flash("It is yours. Report your progress before the day of protection passes.", "success")
    return _to(idea)


@ideas.post(f"{_IDEA}/watch")
@_BUILD
@limiter.limit("60 per hour", key_func=user_key)
def partner_watch(idea: Idea) -> ResponseReturnValue:
    """Ask to be told when it is free again."""
    claiming.watch(idea, actor=current_actor())
    flash("You are told by mail when it is free again.", "success")
    return _to(idea)


@ideas.post(f"{_CLAIM}/report")
@_WORK
@limiter.limit("30 per hour", key_func=user_key)
def partner_report(claim: IdeaClaim) -> ResponseReturnValue:
    """Report progress."""
    form = ReportForm()
    try:
        claiming.report(claim, form.text.data or "", actor=current_actor())
    except InvalidError as error:
        show_errors(form, error)
        return _page(_idea_of(claim), reporting=form), 422
    flash("Reported. The claim is protected for longer now.", "success")
    return _to(_idea_of(claim))


@ideas.post(f"{_CLAIM}/link")
@_WORK
@limiter.limit("60 per hour", key_func=user_key)
def partner_link(claim: IdeaClaim) -> ResponseReturnValue:
    """Say what it led to."""
    form = LinkForm()
    kind = form.kind.data if form.kind.data in {each.value for each in LinkKind} else "listing"
    try:
        fulfilling.link(claim, LinkKind(kind), line(form.target.data)[:120], actor=current_actor())
    except InvalidError as error:
        show_errors(form, error)
        return _page(_idea_of(claim), linking=form), 422
    idea = _idea_of(claim)
    if kind == LinkKind.LISTING.value and idea.state is IdeaState.CLAIMED:
        flash("Linked. The idea is listed once this is published, or once we have looked.", "info")
    else:
        flash("Linked.", "success")
    return _to(idea)


@ideas.get(f"{_CLAIM}/release")
@_WORK
def partner_releasing(claim: IdeaClaim) -> ResponseReturnValue:
    """Ask once more."""
    return render_template("ideas/releasing.html", claim=claim, idea=_idea_of(claim))


@ideas.post(f"{_CLAIM}/release")
@_WORK
def partner_release(claim: IdeaClaim) -> ResponseReturnValue:
    """Give the idea back."""
    claiming.release(claim, actor=current_actor())
    flash("Released. The idea is open to others again.", "success")
    return _to(_idea_of(claim))


def _idea_of(claim: IdeaClaim) -> Idea:
    return queries.idea_by_id(claim.idea_id)


def _page(idea: Idea, **forms: Any) -> str:
    actor = current_actor()
    own_id = actor.organization_id or 0
    claim = queries.claims_of([idea.id]).get(idea.id)
    is_mine = claim is not None and claim.organization_id == own_id
    reports = queries.reports_of([claim.id]) if claim and is_mine else []
    places = queries.linkable_places(own_id) if is_mine else []
    options = {
        LinkKind.PROOF.value: [
            (place.public_id, round_.name)
            for place, round_ in places
            if round_.kind is RoundKind.PROOF_OF_CONCEPT
        ],
        LinkKind.FUNDING.value: [
            (place.public_id, round_.name)
            for place, round_ in places
            if round_.kind is not RoundKind.PROOF_OF_CONCEPT
        ],
        LinkKind.LISTING.value: [
            (each.slug, each.name)
            for each in (queries.linkable_listings(own_id) if is_mine else ())
        ],
    }
    linking = forms.get("linking")
    if linking is not None:
        linking.target.choices = choices_of(options.get(linking.kind.data or "", []))
    return render_template(
        "ideas/partner_idea.html",
        idea=idea,
        demand=demand_of([idea.id], for_partner=own_id)[idea.id],
        requests=queries.requests_behind(idea.id),
        chain=queries.chain_of(idea, in_private=is_mine or _built_by(idea, own_id)),
        claim=claim,
        is_mine=is_mine,
        builder=queries.organizations([claim.organization_id]).get(claim.organization_id)
        if claim
        else None,
        watching=queries.is_watching(idea.id, actor.user_id),
        reports=reports,
        options=options,
        reporting=forms.get("reporting") or ReportForm(formdata=None),
        linking=linking,
        form=EmptyForm(formdata=None),
    )


def _built_by(idea: Idea, organization_id: int) -> bool:
    claims = queries.past_claims_of(idea.id)
    return any(
        each.organization_id == organization_id and each.state.value == "fulfilled"
        for each in claims
    )


def _to(idea: Idea) -> ResponseReturnValue:
    return redirect(url_for(".partner_idea", idea_id=idea.public_id), code=303)
