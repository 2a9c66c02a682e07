"""The public list of ideas: what is wanted, who builds it, what is here."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.core.errors import InvalidError, NotFoundError
from marketplace.core.limits import limiter
from marketplace.core.pagination import page_number
from marketplace.core.permissions import current_actor, needs, public
from marketplace.pipeline.ideas import queries
from marketplace.pipeline.ideas.demand import demand_of
from marketplace.pipeline.ideas.forms import ProposeForm
from marketplace.pipeline.ideas.models import SHOWN, Idea, IdeaState
from marketplace.pipeline.ideas.services import writing
from marketplace.pipeline.ideas.views.blueprints import ideas, show_errors, user_key
from marketplace.program.applications.words import line


@ideas.get("/ideas")
@public("what customers want is for everybody to see")
def index() -> ResponseReturnValue:
    """Ideas by votes or age, in a state."""
    args = request.args
    state = args.get("state", "")
    states = (IdeaState(state),) if state in {each.value for each in SHOWN} else SHOWN
    sort = args.get("sort", "votes") if args.get("sort") in queries.SORTS else "votes"
    text = line(args.get("q"))[:80]
    page = queries.page_of_ideas(states, text, sort, page_number(args.get("page")))
    ids = [row.id for row in page.items]
    claims = queries.claims_of(ids)
    return render_template(
        "ideas/index.html",
        page=page,
        demand=demand_of(ids),
        voted=queries.voted_by(current_actor().user_id, ids),
        claims=claims,
        organizations=queries.organizations(each.organization_id for each in claims.values()),
        state=state if len(states) == 1 else "",
        sort=sort,
        sorts=queries.SORTS,
        q=text,
    )


@ideas.get("/ideas/new")
@needs("idea.propose")
def propose() -> ResponseReturnValue:
    """The form to propose one."""
    return render_template("ideas/propose.html", form=ProposeForm(formdata=None))


@ideas.post("/ideas/new")
@needs("idea.propose")
@limiter.limit("20 per day", key_func=user_key)
def create() -> ResponseReturnValue:
    """Propose one."""
    form = ProposeForm()
    try:
        writing.propose(
            form.title.data or "",
            form.text.data or "",
            actor=current_actor(),
            form_key=form.form_key.data or "",
        )
    except InvalidError as error:
        show_errors(form, error)
        return render_template("ideas/propose.html", form=form), 422
    flash("Thank you. We look at it before others see it.", "success")
    return redirect(url_for(".index"), code=303)


@ideas.get("/ideas/<idea_id>")
@public("what customers want is for everybody to see")
def show(idea_id: str) -> ResponseReturnValue:
    """One idea, and the way from the request to the listing."""
    idea = _shown(idea_id)
    claim = queries.claims_of([idea.id]).get(idea.id)
    return render_template(
        "ideas/idea.html",
        idea=idea,
        demand=demand_of([idea.id])[idea.id],
        voted=bool(queries.voted_by(current_actor().user_id, [idea.id])),
        requests=queries.requests_behind(idea.id),
        chain=queries.chain_of(idea, in_private=False),
        claim=claim,
        builder=queries.organizations([claim.organization_id]).get(claim.organization_id)
        if claim
        else None,
    )


@ideas.post("/ideas/<idea_id>/vote")
@needs("idea.vote", load=queries.find_shown_idea, name="idea")
@limiter.limit("120 per hour", key_func=user_key)
def vote(idea: Idea) -> ResponseReturnValue:
    """Vote for it."""
    writing.vote(idea, actor=current_actor())
    return redirect(url_for(".show", idea_id=idea.public_id), code=303)


@ideas.post("/ideas/<idea_id>/unvote")
@needs("idea.vote", load=queries.find_shown_idea, name="idea")
@limiter.limit("120 per hour", key_func=user_key)
def unvote(idea: Idea) -> ResponseReturnValue:
    """Take the vote back."""
    writing.unvote(idea, actor=current_actor())
    return redirect(url_for(".show", idea_id=idea.public_id), code=303)


def _shown(idea_id: str) -> Idea:
    idea = queries.find_shown_idea(idea_id)
    if idea is None:
        raise NotFoundError
    return idea
