"""Requested integrations: the list, asking, voting, and staff's part."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.catalogue.engagement.forms import RequestForm, RequestStateForm
from marketplace.catalogue.engagement.queries import requests as queries
from marketplace.catalogue.engagement.services import requests as services
from marketplace.catalogue.engagement.views.blueprints import requests
from marketplace.catalogue.engagement.views.returning import back_to, show_errors
from marketplace.catalogue.models import IntegrationRequest, RequestState
from marketplace.core.errors import InvalidError, NotFoundError
from marketplace.core.limits import limiter
from marketplace.core.pagination import page_number
from marketplace.core.permissions import current_actor, needs, public

MAX_SEARCH = 80


@requests.get("")
@public("what customers miss is for everybody to see")
def index() -> ResponseReturnValue:
    """The list, with search, a filter by state and two orders."""
    text = " ".join(request.args.get("q", "").replace("\x00", "").split())[:MAX_SEARCH]
    chosen = request.args.get("state", "")
    states = (
        (RequestState(chosen),)
        if chosen in {state.value for state in RequestState}
        else queries.WANTED
    )
    sort = request.args.get("sort", "")
    sort = sort if sort in queries.SORTS else "votes"
    page = queries.page_of_requests(text, states, sort, page_number(request.args.get("page")))
    return render_template(
        "engagement/requests.html",
        page=page,
        q=text,
        chosen=states[0].value if len(states) == 1 else "",
        sort=sort,
        sorts=queries.SORTS,
        counts=queries.counts_by_state(),
        wanted=queries.WANTED,
        open_for_votes=services.OPEN_FOR_VOTES,
        voted=queries.voted_by(current_actor().user_id, [found.id for found in page.items]),
        may_request=current_actor().can("request.create"),
    )


@requests.get("/new")
@needs("request.create")
def new() -> ResponseReturnValue:
    """The form; `?name=` fills in the name."""
    form = RequestForm(formdata=None, data={"name": request.args.get("name", "")[:MAX_SEARCH]})
    return _form_page(form)


@requests.post("")
@needs("request.create")
@limiter.limit("20 per hour")
def create() -> ResponseReturnValue:
    """Ask for an integration, or vote for the request that is there already."""
    form = RequestForm()
    name = form.name.data or ""
    listed = queries.listing_named(name)
    if listed is not None and not form.anyway.data:
        form.name.errors = [*form.name.errors, f"{listed.name} is listed already."]
        return _form_page(form, listed=listed), 422
    try:
        made, is_new = services.create_request(current_actor(), name, form.details.data or "")
    except InvalidError as error:
        show_errors(form, error)
        return _form_page(form), 422
    if is_new:
        flash("Your request is here, with your vote. We write to you when it is listed.", "success")
    else:
        flash(f"{made.name} was requested before. Your vote counts there.", "info")
    return redirect(url_for("requests.show", request_id=made.id), code=303)


@requests.get("/<int:request_id>")
@public("what customers miss is for everybody to see")
def show(request_id: int) -> ResponseReturnValue:
    """One request."""
    found = queries.find_request(request_id)
    if found is None:
        raise NotFoundError
    return _request_page(found, _state_form(found))


@requests.post("/<int:request_id>/vote")
@needs("request.vote", load=queries.find_request, name="wish", hidden=False)
def vote(wish: IntegrationRequest) -> ResponseReturnValue:
    """Vote for it. A double click is one vote."""
    if services.vote(current_actor(), wish):
        flash(f"Your vote for {wish.name} counts.", "success")
    return back_to(url_for("requests.show", request_id=wish.id))


@requests.post("/<int:request_id>/vote/withdrawal")
@needs("request.vote", load=queries.find_request, name="wish", hidden=False)
def unvote(wish: IntegrationRequest) -> ResponseReturnValue:
    """Take the vote back."""
    if services.unvote(current_actor(), wish):
        flash(f"Your vote for {wish.name} is taken back.", "success")
    return back_to(url_for("requests.show", request_id=wish.id))


@requests.post("/<int:request_id>/state")
@needs("request.manage", load=queries.find_request, name="wish")
def change_state(wish: IntegrationRequest) -> ResponseReturnValue:
    """Staff say what becomes of it."""
    form = RequestStateForm()
    try:
        services.change_state(
            current_actor(),
            wish,
            form.state.data or "",
            form.note.data or "",
            form.listing.data or "",
        )
    except InvalidError as error:
        show_errors(form, error)
        return _request_page(wish, form), 422
    flash("Saved.", "success")
    return redirect(url_for("requests.show", request_id=wish.id), code=303)


@requests.get("/<int:request_id>/removal")
@needs("request.manage", load=queries.find_request, name="wish")
def removal(wish: IntegrationRequest) -> ResponseReturnValue:
    """Ask before a request is deleted."""
    return render_template("engagement/request_removal.html", wish=wish)


@requests.post("/<int:request_id>/removal")
@needs("request.manage", load=queries.find_request, name="wish")
def remove(wish: IntegrationRequest) -> ResponseReturnValue:
    """Delete what is no request."""
    services.remove_request(current_actor(), wish)
    flash("The request is gone.", "success")
    return redirect(url_for("requests.index"), code=303)


def _form_page(form: RequestForm, listed: object = None) -> str:
    return render_template(
        "engagement/request_form.html", form=form, listed=listed, limits=services
    )


def _state_form(wish: IntegrationRequest) -> RequestStateForm | None:
    if not current_actor().can("request.manage", wish):
        return None
    return RequestStateForm(
        formdata=None,
        data={
            "state": wish.state.value,
            "note": wish.state_note,
            "listing": wish.listing.slug if wish.listing else "",
        },
    )


def _request_page(wish: IntegrationRequest, form: RequestStateForm | None) -> str:
    actor = current_actor()
    return render_template(
        "engagement/request.html",
        wish=wish,
        voted=wish.id in queries.voted_by(actor.user_id, [wish.id]),
        organizations=queries.voting_organizations(wish.id),
        open_for_votes=services.OPEN_FOR_VOTES,
        form=form,
    )
