"""Ideas, as the operator makes them of requests and looks after them."""

from collections.abc import Iterator, Sequence
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.core.csv_export import csv_response
from marketplace.core.errors import InvalidError
from marketplace.core.pagination import page_number
from marketplace.core.permissions import current_actor, needs
from marketplace.pipeline.ideas import queries
from marketplace.pipeline.ideas.demand import demand_of
from marketplace.pipeline.ideas.forms import IdeaForm, NoteForm, ProposeForm
from marketplace.pipeline.ideas.models import Idea, IdeaState
from marketplace.pipeline.ideas.services import fulfilling, writing
from marketplace.pipeline.ideas.views.blueprints import STATES, ideas_staff, show_errors
from marketplace.program.applications.words import line

_IDEA = "/staff/ideas/<idea_id>"
_MANAGE = needs("ideas.manage", load=queries.find_idea, name="idea")
ALL = tuple(IdeaState)
_AT_ONCE = 500


@ideas_staff.get("/staff/ideas")
@needs("ideas.manage")
def index() -> ResponseReturnValue:
    """All ideas with the demand behind them; `?format=csv` as a file."""
    args = request.args
    state = args.get("state", "") if args.get("state") in set(ALL) else ""
    sort = args.get("sort", "votes") if args.get("sort") in queries.SORTS else "votes"
    text = line(args.get("q"))[:80]
    states = (IdeaState(state),) if state else ALL
    if args.get("format") == "csv":
        return csv_response(
            "ideas.csv",
            ("id", "title", "state", "voters", "organizations", "revenue_in_minor_units",
             "currency", "built by"),
            _rows(queries.all_ideas(states, text, sort)),
        )  # fmt: skip
    page = queries.page_of_ideas(states, text, sort, page_number(args.get("page")))
    ids = [row.id for row in page.items]
    demand, claims = demand_of(ids), queries.claims_of(ids)
    names = queries.organizations(each.organization_id for each in claims.values())
    return render_template(
        "ideas/staff_index.html",
        page=page,
        demand=demand,
        claims=claims,
        organizations=names,
        state=state,
        sort=sort,
        sorts=queries.SORTS,
        q=text,
        args={"state": state or None, "sort": sort, "q": text or None},
    )


@ideas_staff.get("/staff/ideas/new")
@needs("ideas.manage")
def new() -> ResponseReturnValue:
    """Requests that no idea answers yet, to make one of some of them."""
    form = ProposeForm(formdata=None)
    return _requests_page(form, set(request.args.getlist("request")))


@ideas_staff.post("/staff/ideas/new")
@needs("ideas.manage")
def create() -> ResponseReturnValue:
    """Make an idea of the chosen requests, or of none."""
    form = ProposeForm()
    chosen = request.form.getlist("requests")[:200]
    ids = [int(each) for each in chosen if each.isascii() and each.isdigit() and len(each) < 16]
    try:
        if len(ids) != len(chosen):
            raise InvalidError({"requests": "Choose requests of the list."})
        idea = writing.make_of_requests(
            form.title.data or "",
            form.text.data or "",
            ids,
            actor=current_actor(),
            form_key=form.form_key.data or "",
        )
    except InvalidError as error:
        show_errors(form, error)
        return _requests_page(form, set(chosen)), 422
    flash("The idea is open. Partners can claim it.", "success")
    return _to(idea)


@ideas_staff.get(_IDEA)
@_MANAGE
def idea(idea: Idea) -> ResponseReturnValue:
    """One idea: demand, claims, reports, chain."""
    form = IdeaForm(formdata=None, data={"title": idea.title, "text": idea.text})
    return _page(idea, form)


@ideas_staff.post(f"{_IDEA}/edit")
@_MANAGE
def edit(idea: Idea) -> ResponseReturnValue:
    """Change what it says."""
    form = IdeaForm()
    try:
        writing.edit(idea, form.title.data or "", form.text.data or "", actor=current_actor())
    except InvalidError as error:
        show_errors(form, error)
        return _page(idea, form), 422
    flash("Saved.", "success")
    return _to(idea)


@ideas_staff.post(f"{_IDEA}/publication")
@_MANAGE
def publish(idea: Idea) -> ResponseReturnValue:
    """Show a proposed idea to everybody."""
    writing.publish(idea, actor=current_actor())
    flash("Shown. Partners can claim it.", "success")
    return _to(idea)


@ideas_staff.post(f"{_IDEA}/decline")
@_MANAGE
def decline(idea: Idea) -> ResponseReturnValue:
    """Close it, with a reason."""
    form = NoteForm()
    try:
        writing.decline(idea, form.note.data or "", actor=current_actor())
    except InvalidError as error:
        show_errors(form, error)
        shown = IdeaForm(formdata=None, data={"title": idea.title, "text": idea.text})
        return _page(idea, shown, declining=form), 422
    flash("Declined.", "success")
    return _to(idea)


@ideas_staff.post(f"{_IDEA}/listing")
@_MANAGE
def confirm(idea: Idea) -> ResponseReturnValue:
    """Say that the linked listing does it."""
    fulfilling.confirm(idea, actor=current_actor())
    flash("Listed. Everybody who asked for it is told.", "success")
    return _to(idea)


@ideas_staff.post(f"{_IDEA}/opening")
@_MANAGE
def reopen(idea: Idea) -> ResponseReturnValue:
    """Say that the listing does not do it after all."""
    fulfilling.take_back(idea, actor=current_actor())
    flash("Open again. Partners can claim it.", "success")
    return _to(idea)


def _rows(ideas: Sequence[Idea]) -> Iterator[tuple[object, ...]]:
    """The lines of the file, looked up a few hundred at a time."""
    for start in range(0, len(ideas), _AT_ONCE):
        some = ideas[start : start + _AT_ONCE]
        ids = [row.id for row in some]
        demand, claims = demand_of(ids), queries.claims_of(ids)
        names = queries.organizations(each.organization_id for each in claims.values())
        for row in some:
            found = demand[row.id]
            yield (
                row.public_id,
                row.title,
                STATES[row.state][0],
                found.voters,
                found.organizations,
                found.revenue,
                found.currency,
                names[claims[row.id].organization_id].name if row.id in claims else "",
            )


def _requests_page(form: Any, chosen: set[str]) -> str:
    text = line(request.args.get("q"))[:80]
    return render_template(
        "ideas/staff_new.html",
        form=form,
        page=queries.page_of_free_requests(text, page_number(request.args.get("page"))),
        chosen=chosen,
        q=text,
    )


def _page(idea: Idea, form: Any, **forms: Any) -> str:
    claims = queries.past_claims_of(idea.id)
    return render_template(
        "ideas/staff_idea.html",
        idea=idea,
        demand=demand_of([idea.id])[idea.id],
        requests=queries.requests_behind(idea.id),
        chain=queries.chain_of(idea, in_private=True),
        claims=claims,
        organizations=queries.organizations(each.organization_id for each in claims),
        reports=queries.reports_of(each.id for each in claims),
        waiting=fulfilling.waiting_listing(idea),
        form=form,
        declining=forms.get("declining") or NoteForm(formdata=None),
    )


def _to(idea: Idea) -> ResponseReturnValue:
    return redirect(url_for(".idea", idea_id=idea.public_id), code=303)
