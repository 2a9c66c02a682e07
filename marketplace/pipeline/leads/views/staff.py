"""All leads, for the program's team."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from marketplace.core.csv_export import csv_response
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.pagination import page_number
from marketplace.core.permissions import current_actor, needs
from marketplace.identity.models import Organization
from marketplace.pipeline.leads import queries, texts
from marketplace.pipeline.leads.forms import (
    CloseForm,
    MergeForm,
    NoteForm,
    ReassignForm,
    ReviewForm,
)
from marketplace.pipeline.leads.models import Lead, LeadState, Review
from marketplace.pipeline.leads.queries import SHOWS, LeadFilter
from marketplace.pipeline.leads.services import reviewing, working
from marketplace.pipeline.leads.views.blueprints import leads_staff
from marketplace.pipeline.leads.views.own import asked_filter
from marketplace.sales.form_errors import show_errors
from marketplace.sales.resale.queries import find_partner

_PATH = "/staff/leads/<lead_id>"
_MANAGE = needs("leads.manage", load=queries.find_lead, name="lead")


def _me() -> int | None:
    return current_actor().user_id


@leads_staff.get("/staff/leads")
@needs("leads.manage")
def index() -> ResponseReturnValue:
    """Leads by what they wait for."""
    asked = _asked()
    page = queries.page_of_all(asked, page_number(request.args.get("page")))
    open_offers = {
        row.id: offer for row in page.items for offer in row.offers if offer.state.value == "open"
    }
    return render_template(
        "leads/staff_index.html",
        page=page,
        asked=asked,
        shows=SHOWS,
        counts=queries.show_counts(),
        offers=open_offers,
        organizations=queries.organizations_of(
            [row.owner_id for row in page.items]
            + [offer.organization_id for offer in open_offers.values()]
        ),
        texts=texts,
    )


@leads_staff.get("/staff/leads/leads.csv")
@needs("leads.manage")
def export() -> ResponseReturnValue:
    """What the list shows, as a file, without the contacts."""
    rows = queries.all_leads(_asked())
    owners = queries.organizations_of([row.owner_id for row in rows])
    return csv_response(
        "leads.csv",
        ("number", "source", "state", "stage", "review", "duplicate", "country", "category",
         "partner", "created_at", "accepted_at"),
        (
            (row.public_id, row.source.value, row.state.value, row.stage.value, row.review.value,
             "yes" if row.duplicate_of_id else "no", row.country, row.category,
             owners[row.owner_id].name if row.owner_id in owners else "",
             row.created_at, row.accepted_at)
            for row in rows
        ),
    )  # fmt: skip


@leads_staff.get(_PATH)
@_MANAGE
def lead(lead: Lead) -> ResponseReturnValue:
    """One lead with all that happened to it."""
    return _page(lead)


@leads_staff.post(f"{_PATH}/review")
@_MANAGE
def lead_review(lead: Lead) -> ResponseReturnValue:
    """Qualify it or not."""
    form = ReviewForm()
    verdict = form.verdict.data or ""
    try:
        if verdict not in {each.value for each in Review}:
            raise InvalidError({"reason": "Choose what to do."})
        reviewing.review(lead.id, Review(verdict), form.reason.data or "", by_user_id=_me())
    except InvalidError as error:
        show_errors(form, error)
        return _page(lead, review_form=form), 422
    except ConflictError as error:
        flash(error.detail, "warning")
        return _to(lead)
    flash("Saved.", "success")
    return _to(lead)


@leads_staff.post(f"{_PATH}/duplicate")
@_MANAGE
def lead_merge(lead: Lead) -> ResponseReturnValue:
    """Say which lead it is a duplicate of."""
    form = MergeForm()
    into = queries.find_lead((form.into.data or "").strip()[:40])
    if into is None:
        form.into.errors = ["There is no lead of this number."]
        return _page(lead, merge_form=form), 422
    try:
        reviewing.merge(lead.id, into.id, by_user_id=_me())
    except ConflictError as error:
        form.into.errors = [error.detail]
        return _page(lead, merge_form=form), 422
    flash("Merged. It no longer counts.", "success")
    return _to(lead)


@leads_staff.post(f"{_PATH}/no-duplicate")
@_MANAGE
def lead_clear(lead: Lead) -> ResponseReturnValue:
    """Say that it is no duplicate."""
    reviewing.clear_duplicate(lead.id, by_user_id=_me())
    flash("It is a lead of its own.", "success")
    return _to(lead)


@leads_staff.post(f"{_PATH}/partner")
@_MANAGE
def lead_reassign(lead: Lead) -> ResponseReturnValue:
    """Offer or give it to somebody else."""
    form = ReassignForm()
    typed = (form.partner.data or "").strip()
    partner = find_partner(typed[:200]) if typed else None
    if typed and partner is None:
        form.partner.errors = ["No partner has this address or name."]
        return _page(lead, reassign_form=form), 422
    try:
        found = reviewing.reassign(
            lead.id, partner, by_user_id=_me(), directly=bool(form.directly.data)
        )
    except ConflictError as error:
        form.partner.errors = [error.detail]
        return _page(lead, reassign_form=form), 422
    if found.state is LeadState.UNPLACED:
        flash("No rule allows anybody who was not asked yet.", "warning")
    else:
        flash("Done. The partner is told.", "success")
    return _to(lead)


@leads_staff.post(f"{_PATH}/notes")
@_MANAGE
def lead_note(lead: Lead) -> ResponseReturnValue:
    """A note of the team."""
    form = NoteForm()
    try:
        working.add_note(
            lead,
            form.body.data or "",
            organization_id=None,
            by_user_id=_me(),
            form_key=form.form_key.data or "",
        )
    except InvalidError as error:
        show_errors(form, error)
        return _page(lead, note_form=form), 422
    return _to(lead)


@leads_staff.post(f"{_PATH}/close")
@_MANAGE
def lead_close(lead: Lead) -> ResponseReturnValue:
    """Close what is no lead."""
    form = CloseForm()
    try:
        reviewing.close(lead.id, form.reason.data or "", by_user_id=_me())
    except InvalidError as error:
        show_errors(form, error)
        return _page(lead, close_form=form), 422
    flash("Closed.", "success")
    return _to(lead)


@leads_staff.post(f"{_PATH}/opening")
@_MANAGE
def lead_reopen(lead: Lead) -> ResponseReturnValue:
    """Open again what was closed."""
    try:
        found = reviewing.reopen(lead.id, by_user_id=_me())
    except ConflictError as error:
        flash(error.detail, "warning")
        return _to(lead)
    if found.state is LeadState.UNPLACED:
        flash("Open again. Nobody is left to offer it to: choose a partner.", "warning")
    else:
        flash("Open again.", "success")
    return _to(lead)


@leads_staff.get(f"{_PATH}/removal")
@_MANAGE
def lead_removal(lead: Lead) -> ResponseReturnValue:
    """Ask once more before the person's data is removed."""
    return render_template("leads/staff_removal.html", lead=lead)


@leads_staff.post(f"{_PATH}/removal")
@_MANAGE
def lead_erase(lead: Lead) -> ResponseReturnValue:
    """Remove the person's data."""
    reviewing.erase(lead.id, by_user_id=_me())
    flash("The person's data is removed.", "success")
    return _to(lead)


def _asked() -> LeadFilter:
    asked = asked_filter()
    show = asked.show if asked.show in SHOWS else "all"
    return LeadFilter(asked.text, asked.stage, asked.source, show, asked.country)


def _to(lead: Lead) -> ResponseReturnValue:
    return redirect(url_for("leads_staff.lead", lead_id=lead.public_id), code=303)


def _page(
    lead: Lead,
    *,
    review_form: ReviewForm | None = None,
    merge_form: MergeForm | None = None,
    reassign_form: ReassignForm | None = None,
    note_form: NoteForm | None = None,
    close_form: CloseForm | None = None,
) -> str:
    events = queries.events_of(lead)
    notes = queries.notes_of(lead, None)
    known_as = db.session.get(Lead, lead.duplicate_of_id) if lead.duplicate_of_id else None
    return render_template(
        "leads/staff_lead.html",
        lead=lead,
        events=events,
        notes=notes,
        offers=list(reversed(lead.offers)),
        others=reviewing.others_like(lead),
        duplicates=db.session.scalars(
            select(Lead).where(Lead.duplicate_of_id == lead.id).limit(20)
        ).all(),
        known_as=known_as,
        customer=db.session.get(Organization, lead.customer_organization_id or 0),
        organizations=queries.organizations_of(
            [lead.owner_id, lead.wanted_id]
            + [row.organization_id for row in events]
            + [row.organization_id for row in lead.offers]
        ),
        names=queries.names_of(
            [row.by_user_id for row in events] + [row.by_user_id for row in notes]
        ),
        listing=queries.listings_of([lead.listing_id]).get(lead.listing_id or 0),
        review_form=review_form or ReviewForm(formdata=None),
        merge_form=merge_form or MergeForm(formdata=None),
        reassign_form=reassign_form or ReassignForm(formdata=None),
        note_form=note_form or NoteForm(formdata=None),
        close_form=close_form or CloseForm(formdata=None),
        texts=texts,
    )
