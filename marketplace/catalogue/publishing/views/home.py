"""The portal's start, the list of listings, and a new one."""

from datetime import timedelta

from flask import current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.catalogue.publishing import queries
from marketplace.catalogue.publishing.forms.acts import NewListingForm, show_errors
from marketplace.catalogue.publishing.home_parts import home_parts
from marketplace.catalogue.publishing.policies import WRITERS
from marketplace.catalogue.publishing.services import drafts
from marketplace.catalogue.publishing.views.portal import blueprint
from marketplace.catalogue.publishing.waiting import WINDOW, median_wait, wait_text
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import InvalidError, NotFoundError
from marketplace.core.pagination import page_number, paginate
from marketplace.core.permissions import Actor, MembershipInfo, current_actor, needs
from marketplace.identity.forms import choices_of
from marketplace.identity.models import Organization

RECENT = timedelta(days=30)
ON_HOME, PER_PAGE = 8, 25
FILTER_LABELS = {
    "all": "All",
    "published": "Published",
    "open": "With a draft",
    "unpublished": "Not published yet",
    "withdrawn": "Withdrawn",
}


@blueprint.get("")
@needs("portal.use")
def home() -> ResponseReturnValue:
    """What the active partner organization has, and what waits for whom."""
    actor = current_actor()
    active = _active_partner(actor)
    if active is None:
        return _guide(actor)
    publisher_id = active.organization_id
    at = clock.now()
    page = paginate(queries.own_listings(publisher_id), page=1, per_page=ON_HOME)
    published, opened, waiting, sent_back = queries.totals(publisher_id)
    reviews = queries.review_counts(publisher_id, at - RECENT)
    return render_template(
        "portal/home.html",
        organization=active,
        page=page,
        revisions=queries.open_revisions(row.id for row in page.items),
        positions=queries.queue_positions(publisher_id),
        published=published,
        opened=opened,
        waiting=waiting,
        sent_back=sent_back,
        reviews=reviews,
        review_total=sum(reviews.values()),
        median=wait_text(median_wait(queries.decided_since(at - WINDOW), at=at)),
        may_write=active.role in WRITERS,
        **{"has_catalogue": True, **home_parts(actor)},
    )


@blueprint.get("/listings")
@needs("portal.use")
def listings() -> ResponseReturnValue:
    """All listings of the active partner organization, with search, a filter and pages."""
    actor = current_actor()
    active = _active_partner(actor)
    if active is None:
        return _guide(actor)
    publisher_id = active.organization_id
    text = " ".join(request.args.get("q", "").replace("\0", "").split())[:60]
    show = request.args.get("show", "all")
    if show not in queries.FILTERS:
        show = "all"
    page = paginate(
        queries.own_listings(publisher_id, text=text, show=show),
        page=page_number(request.args.get("page")),
        per_page=PER_PAGE,
    )
    return render_template(
        "portal/listings.html",
        organization=active,
        page=page,
        text=text,
        show=show,
        filters=FILTER_LABELS,
        revisions=queries.open_revisions(row.id for row in page.items),
        positions=queries.queue_positions(publisher_id),
        reviews=queries.review_counts(publisher_id, clock.now() - RECENT),
        may_write=active.role in WRITERS,
    )


@blueprint.get("/listings/new")
@needs("portal.use")
def create() -> ResponseReturnValue:
    """The form of a new listing."""
    actor = current_actor()
    if _active_partner(actor) is None or not actor.can("listing.create"):
        return _guide(actor)
    return _new_form(NewListingForm())


@blueprint.post("/listings/new")
@needs("listing.create")
def create_listing() -> ResponseReturnValue:
    """Begin a listing and go on to its editor."""
    actor = current_actor()
    publisher = db.session.get(Organization, actor.organization_id)
    if publisher is None:
        raise NotFoundError
    form = NewListingForm()
    try:
        listing = drafts.create_listing(
            publisher,
            name=form.name.data or "",
            kind=form.kind.data or "",
            category=form.categories.data or "",
            actor=actor,
        )
    except InvalidError as error:
        extra = show_errors(form, error.fields)
        return _new_form(form, extra), 422
    flash("The draft is begun. Nothing of it is public before it is approved.", "success")
    return redirect(url_for("portal.edit_section", slug=listing.slug, section="basics"), 303)


def _new_form(form: NewListingForm, extra: list[str] | None = None) -> str:
    pairs = [(row.slug, row.name) for row in queries.categories()]
    form.categories.choices = choices_of([("", "Choose a category"), *pairs])
    return render_template("portal/new_listing.html", form=form, extra=extra or [])


def _active_partner(actor: Actor) -> MembershipInfo | None:
    active = actor.organization
    return active if active is not None and active.organization_kind == "partner" else None


def _guide(actor: Actor) -> str:
    partners = [m for m in actor.organizations if m.organization_kind == "partner"]
    return render_template(
        "portal/guide.html",
        partners=partners,
        active=_active_partner(actor),
        can_create="identity.new_organization" in current_app.view_functions,
    )
