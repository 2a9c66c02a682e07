"""All deals: registrations to decide, conflicts, credit to split."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from marketplace.core.csv_export import csv_response
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.pagination import page_number
from marketplace.core.permissions import current_actor, needs
from marketplace.core.seen import ChangedMeanwhileError
from marketplace.pipeline.account_checks.reading import evidence_between
from marketplace.pipeline.deals import queries, texts
from marketplace.pipeline.deals.claims import Share
from marketplace.pipeline.deals.forms import ReasonForm, SplitForm
from marketplace.pipeline.deals.models import CreditKind, CreditSplit, Deal, DealStage
from marketplace.pipeline.deals.queries import SHOWS, DealFilter
from marketplace.pipeline.deals.seen import seen_of
from marketplace.pipeline.deals.services import registering
from marketplace.pipeline.deals.services.splitting import split_credit
from marketplace.pipeline.deals.views.blueprints import deals_staff
from marketplace.pipeline.deals.views.own import asked_filter
from marketplace.pipeline.leads.queries import listings_of, names_of, organizations_of
from marketplace.sales.form_errors import show_errors
from marketplace.sales.resale.queries import find_partner

MOST_IN_A_FILE = 10_000
_PATH = "/staff/deals/<deal_id>"
_MANAGE = needs("deals.manage", load=queries.find_deal, name="deal")
_SPLIT = needs("credits.split", load=queries.find_deal, name="deal")


def _me() -> int | None:
    return current_actor().user_id


@deals_staff.get("/staff/deals")
@needs("deals.manage")
def index() -> ResponseReturnValue:
    """Deals by what they wait for, or as a board."""
    asked = _asked()
    as_board = request.args.get("view") == "board"
    page = None if as_board else queries.page_of_all(asked, page_number(request.args.get("page")))
    board = queries.board_of(None, asked) if as_board else {}
    rows = page.items if page else [deal for column in board.values() for deal in column]
    return render_template(
        "deals/staff_index.html",
        page=page,
        board=board,
        as_board=as_board,
        stages=list(DealStage),
        asked=asked,
        shows=SHOWS,
        counts=queries.show_counts(),
        organizations=organizations_of([row.organization_id for row in rows]),
        listings=listings_of([row.listing_id for row in page.items]) if page else {},
        texts=texts,
    )


@deals_staff.get("/staff/deals/deals.csv")
@needs("deals.manage")
def export() -> ResponseReturnValue:
    """The deals of a tab as a file."""
    rows = db.session.scalars(queries.all_deals(_asked()).limit(MOST_IN_A_FILE)).all()
    listings = listings_of([row.listing_id for row in rows])
    names = queries.partner_names([row.organization_id for row in rows])
    return csv_response(
        "deals.csv",
        ("number", "partner", "title", "customer", "domain", "product", "minor_units", "currency",
         "close_on", "state", "stage", "decision_reason", "lost_reason", "registered_at",
         "decided_at", "won_at"),
        (
            (row.public_id, names.get(row.organization_id, ""), row.title, row.customer_name,
             row.customer_domain,
             listings[row.listing_id].name if row.listing_id in listings else row.product,
             row.amount, row.currency, row.close_on, row.state.value, row.stage.value,
             row.decision_reason, row.lost_reason, row.submitted_at, row.decided_at, row.won_at)
            for row in rows
        ),
    )  # fmt: skip


def _asked() -> DealFilter:
    asked = asked_filter()
    show = asked.show if asked.show in SHOWS else "to_decide"
    return DealFilter(asked.text, asked.stage, show)


@deals_staff.get(_PATH)
@_MANAGE
def deal(deal: Deal) -> ResponseReturnValue:
    """One deal, with its rivals and what account checks say of them."""
    return _page(deal)


@deals_staff.post(f"{_PATH}/approval")
@_MANAGE
def deal_approve(deal: Deal) -> ResponseReturnValue:
    """Approve the registration."""
    try:
        registering.approve(deal.id, by_user_id=_me(), seen=request.form.get("seen", ""))
        flash("Approved. The customer is protected.", "success")
    except ChangedMeanwhileError as error:
        return _page(deal, problem=error.detail), 409
    except ConflictError as error:
        flash(error.detail, "warning")
    return _to(deal)


@deals_staff.post(f"{_PATH}/refusal")
@_MANAGE
def deal_refuse(deal: Deal) -> ResponseReturnValue:
    """Refuse it with a reason."""
    form = ReasonForm()
    try:
        registering.refuse(deal.id, form.reason.data or "", **_decision(form))
        flash("Refused. The partner is told why.", "success")
    except InvalidError as error:
        show_errors(form, error)
        return _page(deal, reason_form=form), 422
    except ChangedMeanwhileError as error:
        return _page(deal, reason_form=form, problem=error.detail), 409
    except ConflictError as error:
        flash(error.detail, "warning")
    return _to(deal)


@deals_staff.post(f"{_PATH}/award")
@_MANAGE
def deal_award(deal: Deal) -> ResponseReturnValue:
    """Decide a conflict for this one."""
    form = ReasonForm()
    try:
        registering.give_to(deal.id, form.reason.data or "", **_decision(form))
        flash("This partner has the customer now. Both are told.", "success")
    except InvalidError as error:
        show_errors(form, error)
        return _page(deal, reason_form=form), 422
    except ChangedMeanwhileError as error:
        return _page(deal, reason_form=form, problem=error.detail), 409
    except ConflictError as error:
        flash(error.detail, "warning")
    return _to(deal)


@deals_staff.get(f"{_PATH}/credit")
@_SPLIT
def credit(deal: Deal) -> ResponseReturnValue:
    """How the credit of a won deal is divided, and dividing it anew."""
    return _split_page(deal)


@deals_staff.post(f"{_PATH}/credit")
@_SPLIT
def credit_split(deal: Deal) -> ResponseReturnValue:
    """Write a new version."""
    form = SplitForm()
    if not form.validate():
        return _split_page(deal, form), 422
    try:
        split_credit(
            deal.id,
            _shares(form),
            form.reason.data or "",
            seen_version=_number(form.seen_version.data),
            by_user_id=_me(),
        )
    except InvalidError as error:
        for name, text in error.fields.items():
            if name == "reason":
                form.reason.errors = [text]
            else:
                form.form_errors.append(text)
        return _split_page(deal, form), 422
    except ConflictError as error:
        flash(error.detail, "warning")
        return redirect(url_for("deals_staff.credit", deal_id=deal.public_id), code=303)
    flash("Split. The totals and the partners' figures changed with it.", "success")
    return redirect(url_for("deals_staff.credit", deal_id=deal.public_id), code=303)


def _shares(form: SplitForm) -> list[Share]:
    """The rows in which something stands. Raises InvalidError for a partner that is not there."""
    found = []
    for entry in form.shares:
        name = (entry.form.partner.data or "").strip()
        bps = entry.form.percent.data
        if not name and not bps:
            continue
        partner = find_partner(name[:200]) if name else None
        if partner is None:
            raise InvalidError({"shares": f"No partner has the address or name “{name[:60]}”."})
        kind = entry.form.kind.data
        if kind not in {each.value for each in CreditKind}:
            raise InvalidError({"shares": "Choose sourced or assisted."})
        found.append(Share(partner.id, CreditKind(kind), bps or 0))
    return found


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 6 else -1


def _decision(form: ReasonForm) -> dict[str, Any]:
    """Who decides, and on what."""
    return {
        "by_user_id": _me(),
        "seen": request.form.get("seen", ""),
        "confirmed": bool(form.confirmed.data),
    }


def _to(deal: Deal) -> ResponseReturnValue:
    return redirect(url_for("deals_staff.deal", deal_id=deal.public_id), code=303)


def _page(deal: Deal, *, reason_form: ReasonForm | None = None, problem: str = "") -> str:
    rivals = queries.rivals_of(deal)
    facts = queries.facts_of(deal)
    return render_template(
        "deals/staff_deal.html",
        deal=deal,
        rivals=rivals,
        evidence=evidence_between(
            deal.customer_domain, {deal.organization_id, *(row.organization_id for row in rivals)}
        ),
        split=queries.split_of(deal.id),
        facts=facts,
        names=names_of([row.actor_user_id for row in facts]),
        listing=listings_of([deal.listing_id]).get(deal.listing_id or 0),
        organizations=organizations_of(
            [deal.organization_id, *(row.organization_id for row in rivals)]
        ),
        reason_form=reason_form or ReasonForm(formdata=None),
        seen=seen_of(deal),
        problem=problem,
        texts=texts,
    )


def _split_page(deal: Deal, form: SplitForm | None = None) -> str:
    splits = queries.splits_of(deal.id)
    names = organizations_of(
        [deal.organization_id]
        + [each.organization_id for split in splits for each in split.credits]
    )
    if form is None:
        form = SplitForm(formdata=None)
        form.seen_version.data = str(splits[0].version if splits else 0)
        _fill(form, deal, splits[0] if splits else None, {k: v.slug for k, v in names.items()})
    return render_template(
        "deals/split.html",
        deal=deal,
        form=form,
        splits=splits,
        organizations=names,
        people=names_of([split.by_user_id for split in splits]),
        texts=texts,
    )


def _fill(form: SplitForm, deal: Deal, split: CreditSplit | None, slugs: dict[int, str]) -> None:
    """Show the split that counts; before the first, all of it is the deal's partner's."""
    rows = (
        [(each.organization_id, each.kind, each.bps) for each in split.credits]
        if split
        else [(deal.organization_id, CreditKind.SOURCED, 10_000)]
    )
    for entry, (organization_id, kind, bps) in zip(form.shares, rows, strict=False):
        entry.form.partner.data = slugs.get(organization_id, "")
        entry.form.kind.data = kind.value
        entry.form.percent.data = bps
