"""A partner's deals: the list, the board, one of them."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.catalogue.content import clean_text
from marketplace.core.csv_export import csv_response
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.limits import limiter
from marketplace.core.pagination import page_number
from marketplace.core.permissions import current_actor, needs
from marketplace.identity.models import Organization
from marketplace.pipeline.deals import queries, texts
from marketplace.pipeline.deals.forms import DealForm, MoveForm, ReasonForm
from marketplace.pipeline.deals.models import Deal, DealStage, DealState
from marketplace.pipeline.deals.queries import DealFilter
from marketplace.pipeline.deals.services import registering, working
from marketplace.pipeline.deals.views.blueprints import deals
from marketplace.pipeline.leads.models import Lead, LeadState
from marketplace.pipeline.leads.queries import (
    find_lead,
    find_named_listing,
    listings_of,
    own_listing_names,
)
from marketplace.pipeline.leads.views.own import NO_LISTING, by_person, own_id
from marketplace.program.policy.live import current_policy
from marketplace.sales.form_errors import show_errors

_PATH = "/partner/deals/<deal_id>"
_WORK = needs("deal.work", load=queries.find_deal, name="deal")


def asked_filter() -> DealFilter:
    """What the address asks for."""
    return DealFilter(
        text=" ".join(clean_text(request.args.get("q", "")[:320]).split())[:80],
        stage=request.args.get("stage", ""),
        show=request.args.get("show", ""),
    )


@deals.get("/partner/deals")
@needs("deals.use")
def index() -> ResponseReturnValue:
    """The deals as a table or a board."""
    asked = asked_filter()
    as_board = request.args.get("view") == "board"
    page = None if as_board else queries.page_of_own(
        own_id(), asked, page_number(request.args.get("page"))
    )  # fmt: skip
    board = queries.board_of(own_id()) if as_board else {}
    return render_template(
        "deals/index.html",
        page=page,
        board=board,
        as_board=as_board,
        asked=asked,
        stages=list(DealStage),
        listings=listings_of([row.listing_id for row in page.items]) if page else {},
        texts=texts,
    )


@deals.get("/partner/deals/deals.csv")
@needs("deals.use")
def export() -> ResponseReturnValue:
    """The deals as a file."""
    rows = db.session.scalars(queries.own_deals(own_id(), asked_filter()).limit(10_000)).all()
    listings = listings_of([row.listing_id for row in rows])
    return csv_response(
        "deals.csv",
        ("number", "title", "customer", "domain", "product", "minor_units", "currency",
         "close_on", "state", "stage", "lost_reason", "registered_at", "won_at"),
        (
            (row.public_id, row.title, row.customer_name, row.customer_domain,
             listings[row.listing_id].name if row.listing_id in listings else row.product,
             row.amount, row.currency, row.close_on, row.state.value, row.stage.value,
             row.lost_reason, row.submitted_at, row.won_at)
            for row in rows
        ),
    )  # fmt: skip


@deals.get("/partner/deals/register")
@needs("deals.use")
def deal_new() -> ResponseReturnValue:
    """The form; `?lead=` fills it in from an accepted lead."""
    form = DealForm(formdata=None)
    live = current_policy()
    form.currency.data = live.policy.currency if live else "EUR"
    lead = _lead()
    if lead is not None and lead.erased_at is None:
        form.title.data = lead.company or lead.name
        form.customer_name.data = lead.company
        form.customer.data = lead.domain_key
        form.description.data = lead.need
        listing = listings_of([lead.listing_id]).get(lead.listing_id or 0)
        form.listing.data = listing.slug if listing and listing.is_findable else ""
    return _form_page(form, lead)


@deals.post("/partner/deals/register")
@needs("deals.use")
@limiter.limit("60 per hour", key_func=by_person)
def deal_create() -> ResponseReturnValue:
    """Register it: whoever is first has the customer for the product."""
    form = DealForm()
    lead = _lead()
    if not form.validate():
        return _form_page(form, lead), 422
    typed = (form.listing.data or "").strip()
    listing = find_named_listing(typed) if typed else None
    if typed and listing is None:
        form.listing.errors = [NO_LISTING]
        return _form_page(form, lead), 422
    try:
        deal = registering.register_deal(
            form.terms(listing.id if listing else None),
            organization=db.session.get_one(Organization, own_id()),
            by_user_id=current_actor().user_id,
            lead=lead,
        )
    except InvalidError as error:
        show_errors(form, error)
        return _form_page(form, lead), 422
    except registering.RegisteredAlreadyError as error:
        return _form_page(form, lead, known=error.deal), 422
    except ConflictError as error:
        form.form_errors.append(error.detail)
        return _form_page(form, lead), 422
    if deal.state is DealState.CONFLICT:
        flash("This customer is already registered for this product. Staff decide.", "warning")
    else:
        flash("Registered. The customer is yours while staff look at it.", "success")
    return _to(deal)


@deals.get(_PATH)
@_WORK
def deal(deal: Deal) -> ResponseReturnValue:
    """One deal."""
    return _page(deal)


@deals.post(f"{_PATH}/stage")
@_WORK
def deal_stage(deal: Deal) -> ResponseReturnValue:
    """Move it to another stage."""
    form = MoveForm()
    form.currency.data = deal.currency
    if not form.validate():
        return _page(deal, move_form=form), 422
    try:
        working.move(
            deal.id,
            working.Move(
                stage=form.stage.data or "",
                reason=form.reason.data or "",
                amount=form.amount.data,
                won_on=form.won_on.data,
                order=form.order.data or "",
                timezone=current_actor().timezone,
            ),
            by_user_id=current_actor().user_id,
        )
    except InvalidError as error:
        show_errors(form, error)
        return _page(deal, move_form=form), 422
    except ConflictError as error:
        flash(error.detail, "warning")
        return _to(deal)
    if form.back.data == "board":
        return redirect(url_for("deals.index", view="board"), code=303)
    if deal.stage is DealStage.WON:
        flash("Well done. It counts once finance has split the credit.", "success")
    return _to(deal)


@deals.post(f"{_PATH}/extension")
@_WORK
def deal_extend(deal: Deal) -> ResponseReturnValue:
    """Protect it for 30 more days, once."""
    form = ReasonForm()
    try:
        registering.extend(deal.id, form.reason.data or "", by_user_id=current_actor().user_id)
    except InvalidError as error:
        show_errors(form, error)
        return _page(deal, extend_form=form), 422
    except ConflictError as error:
        flash(error.detail, "warning")
        return _to(deal)
    flash("Protected for 30 more days.", "success")
    return _to(deal)


@deals.get(f"{_PATH}/withdrawal")
@_WORK
def deal_withdrawing(deal: Deal) -> ResponseReturnValue:
    """Ask once more."""
    return render_template("deals/withdrawal.html", deal=deal)


@deals.post(f"{_PATH}/withdrawal")
@_WORK
def deal_withdraw(deal: Deal) -> ResponseReturnValue:
    """Take the registration back."""
    try:
        registering.withdraw(deal.id, by_user_id=current_actor().user_id)
        flash("Withdrawn. Others can register the customer now.", "success")
    except ConflictError as error:
        flash(error.detail, "warning")
    return _to(deal)


def _lead() -> Lead | None:
    """The accepted lead of the address, if it is the partner's own."""
    found = find_lead(request.args.get("lead", "")[:40])
    if found is None or found.owner_id != own_id() or found.state is not LeadState.ACCEPTED:
        return None
    return found


def _to(deal: Deal) -> ResponseReturnValue:
    return redirect(url_for("deals.deal", deal_id=deal.public_id), code=303)


def _form_page(form: DealForm, lead: Lead | None, *, known: Deal | None = None) -> str:
    return render_template(
        "deals/register.html",
        form=form,
        lead=lead,
        known=known,
        own_listings=own_listing_names(own_id()),
    )


def _page(
    deal: Deal, *, move_form: MoveForm | None = None, extend_form: ReasonForm | None = None
) -> str:
    form = move_form or MoveForm(formdata=None)
    if move_form is None:
        form.stage.data = deal.stage.value
    own = own_id()
    split = queries.split_of(deal.id)
    return render_template(
        "deals/deal.html",
        deal=deal,
        form=form,
        extend_form=extend_form or ReasonForm(formdata=None),
        listing=listings_of([deal.listing_id]).get(deal.listing_id or 0),
        split=split,
        own_credits=[each for each in split.credits if each.organization_id == own]
        if split
        else [],
        facts=queries.facts_of(deal),
        days=registering.protected_days(own),
        is_open=deal.state in (DealState.SUBMITTED, DealState.APPROVED) and split is None,
        texts=texts,
    )
