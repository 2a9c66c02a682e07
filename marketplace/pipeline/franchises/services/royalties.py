"""Royalties: what is reported, the invoice of each month, and credit notes."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import func, select

from billing.money import MAX_AMOUNT
from billing.profiles import profile_of
from billing.public_ids import new_public_id
from billing.seller import seller
from marketplace.catalogue.content import clean_text
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.facts import record_fact
from marketplace.core.locks import lock_row
from marketplace.core.once import insert_if_new
from marketplace.identity.models import Organization
from marketplace.identity.own_partner import refuse_members
from marketplace.pipeline.franchises import mails
from marketplace.pipeline.franchises.models import (
    RoyaltyBase,
    RoyaltyCounter,
    RoyaltyInvoice,
    RoyaltyKind,
    SalesReport,
    TerritoryGrant,
)
from marketplace.pipeline.franchises.months import begins, between, ends, following, month_of
from marketplace.pipeline.franchises.overlap import royalty
from marketplace.program.measures import Measure, Measurement

# The most that a partner can have sold in a month, in minor units.
MOST_SOLD = 10_000 * MAX_AMOUNT
# Without a report by then, the minimum is billed.
REPORT_WITHIN = timedelta(days=10)
# How far back the job looks.
LOOK_BACK_MONTHS = 13


def report_sales(
    grant_id: int,
    month: str,
    amount: int | None,
    reason: str = "",
    *,
    by_user_id: int | None,
) -> SalesReport:
    """What a partner sold in a month, in minor units of the grant's currency.

    Reporting again before the invoice is a correction, which needs a reason; after it, staff
    correct. Raises InvalidError, ConflictError.
    """
    grant = _held(grant_id)
    errors = {}
    if amount is None or not 0 <= amount <= MOST_SOLD:
        errors["amount"] = "Enter what was sold without tax; 0 when nothing was."
    if not covers(grant, month) or begins(month) > clock.now():
        errors["month"] = "Choose a month of the grant that has begun."
    before = newest_report(grant.id, month)
    words = " ".join(clean_text(reason).split())[:300]
    if before is not None and not words:
        errors["reason"] = "It was reported before. Say why it changes."
    if errors or amount is None:
        raise InvalidError(errors)
    if invoice_of(grant.organization_id, month) is not None:
        raise ConflictError("The month is billed. Ask the program's team to correct it.")
    return _report(grant, month, amount, words, before, by_user_id)


def issue_due(limit: int = 200) -> int:
    """Write the invoices of all months that are over; how many. As often as one likes: a partner
    has one invoice for each month."""
    last = following(month_of(clock.now()), -1)
    first = following(last, -LOOK_BACK_MONTHS + 1)
    ids = db.session.scalars(
        select(TerritoryGrant.id)
        .where(
            TerritoryGrant.ends_at > begins(first),
            TerritoryGrant.starts_at < ends(last),
            TerritoryGrant.ends_at > TerritoryGrant.starts_at,
        )
        .order_by(TerritoryGrant.id)
    ).all()
    made = 0
    for grant_id in ids:
        for month in between(first, last):
            if made < limit and issue(grant_id, month) is not None:
                made += 1
    return made


def issue(grant_id: int, month: str) -> RoyaltyInvoice | None:
    """Write the royalty invoice of a month; None when there is one, nothing is owed, the month is
    not over, or its report is still awaited."""
    grant = _held(grant_id)
    now = clock.now()
    if not covers(grant, month) or ends(month) > now:
        return None
    if invoice_of(grant.organization_id, month) is not None:
        return None
    base = _base(grant, month)
    if base is None:
        return None
    amount = royalty(base, grant.royalty_bps, grant.minimum_amount)
    if amount == 0:
        return None
    invoice = _add(
        grant, month, RoyaltyKind.INVOICE, amount, base_amount=base, corrects=None, reason="",
    )  # fmt: skip
    mails.tell_invoiced(invoice)
    return invoice


def correct_report(
    invoice_id: int, amount: int | None, reason: str, *, by_user_id: int | None
) -> RoyaltyInvoice | None:
    """Staff correct what a billed month was based on: what was billed too much is credited.

    Gives the credit note; None when the royalty is the same. Raises ForbiddenError for a member of
    the partner, InvalidError, and ConflictError when more would be owed: bill that with the next
    month's report.
    """
    words = " ".join(clean_text(reason).split())
    errors = {}
    if not words:
        errors["reason"] = "Say why. It stands on the credit note."
    elif len(words) > 300:
        errors["reason"] = "Use at most 300 characters."
    if amount is None or not 0 <= amount <= MOST_SOLD:
        errors["amount"] = "Enter what was really sold."
    if errors or amount is None:
        raise InvalidError(errors)
    invoice = held_invoice(invoice_id)
    grant = _held(invoice.grant_id)
    refuse_members(by_user_id, grant.organization_id)
    owed = royalty(amount, invoice.royalty_bps, invoice.minimum_amount)
    left = invoice.amount - credited(invoice)
    if owed > left:
        raise ConflictError("More is owed than was billed. Add it to the next month's report.")
    if invoice.base is RoyaltyBase.REPORTED:
        before = newest_report(grant.id, invoice.month)
        _report(grant, invoice.month, amount, words, before, by_user_id)
    if owed == left:
        return None
    return credit(invoice, left - owed, words, cause=None, base_amount=amount)


def covers(grant: TerritoryGrant, month: str) -> bool:
    """Whether a grant is in force at some moment of a month."""
    return grant.starts_at < min(ends(month), grant.ends_at) and grant.ends_at > begins(month)


def newest_report(grant_id: int, month: str) -> SalesReport | None:
    """The report of a month that counts."""
    return db.session.scalar(
        select(SalesReport)
        .where(SalesReport.grant_id == grant_id, SalesReport.month == month)
        .order_by(SalesReport.version.desc())
        .limit(1)
    )


def invoice_of(organization_id: int, month: str) -> RoyaltyInvoice | None:
    """A partner's invoice of a month."""
    return db.session.scalar(
        select(RoyaltyInvoice).where(
            RoyaltyInvoice.organization_id == organization_id,
            RoyaltyInvoice.month == month,
            RoyaltyInvoice.kind == RoyaltyKind.INVOICE,
        )
    )


def credited(invoice: RoyaltyInvoice) -> int:
    """What credit notes took back of an invoice, in minor units."""
    return int(
        db.session.scalar(
            select(func.coalesce(func.sum(RoyaltyInvoice.amount), 0)).where(
                RoyaltyInvoice.corrects_id == invoice.id
            )
        )
        or 0
    )


def amount_due(invoice: RoyaltyInvoice) -> int:
    """What is left to pay of an invoice, without tax; nothing once it is paid."""
    if invoice.kind is not RoyaltyKind.INVOICE or invoice.paid_at is not None:
        return 0
    return max(0, invoice.amount - credited(invoice))


def amounts_due(invoices: Sequence[RoyaltyInvoice]) -> dict[int, int]:
    """What is left to pay of each, by its id; as `amount_due`, in one query for all."""
    rows = db.session.execute(
        select(RoyaltyInvoice.corrects_id, func.sum(RoyaltyInvoice.amount))
        .where(RoyaltyInvoice.corrects_id.in_([row.id for row in invoices]))
        .group_by(RoyaltyInvoice.corrects_id)
    )
    taken = {each: int(amount) for each, amount in rows}
    return {
        row.id: max(0, row.amount - taken.get(row.id, 0))
        if row.kind is RoyaltyKind.INVOICE and row.paid_at is None
        else 0
        for row in invoices
    }


def measured_base(grant: TerritoryGrant, month: str) -> int:
    """The net revenue that was measured for the partner in the month, within the grant's time, in
    the grant's currency alone: minor units, below zero when more was refunded than sold."""
    total = db.session.scalar(
        select(func.coalesce(func.sum(Measurement.amount), 0)).where(
            Measurement.organization_id == grant.organization_id,
            Measurement.measure == Measure.NET_REVENUE.value,
            Measurement.currency == grant.currency,
            Measurement.counts_at >= max(begins(month), grant.starts_at),
            Measurement.counts_at < min(ends(month), grant.ends_at),
        )
    )
    return int(total or 0)


def _base(grant: TerritoryGrant, month: str) -> int | None:
    """What the royalty of a month is a share of; None while its report is awaited."""
    if grant.royalty_base is RoyaltyBase.MEASURED:
        return measured_base(grant, month)
    report = newest_report(grant.id, month)
    if report is not None:
        return report.amount
    return 0 if clock.now() >= ends(month) + REPORT_WITHIN else None


def _report(
    grant: TerritoryGrant,
    month: str,
    amount: int,
    reason: str,
    before: SalesReport | None,
    by_user_id: int | None,
) -> SalesReport:
    report = SalesReport(
        grant_id=grant.id,
        month=month,
        version=(before.version if before else 0) + 1,
        amount=amount,
        reason=reason,
        by_user_id=by_user_id,
        at=clock.now(),
    )
    db.session.add(report)
    db.session.flush()
    record_fact(
        "territory.sales_reported",
        subject=("territory_grant", grant.id),
        actor_user_id=by_user_id,
        organization_id=grant.organization_id,
        data={"month": month, "amount": amount, "currency": grant.currency},
    )
    return report


def credit(
    invoice: RoyaltyInvoice,
    amount: int,
    reason: str,
    *,
    cause: str | None,
    base_amount: int | None = None,
) -> RoyaltyInvoice:
    """Write a credit note to an invoice of that amount. `cause` (of a refund) makes it once."""
    note = _add(
        db.session.get_one(TerritoryGrant, invoice.grant_id),
        invoice.month,
        RoyaltyKind.CREDIT_NOTE,
        amount,
        base_amount=invoice.base_amount if base_amount is None else base_amount,
        corrects=invoice,
        reason=reason[:300],
        cause=cause,
    )
    mails.tell_credited(note)
    return note


def _add(
    grant: TerritoryGrant,
    month: str,
    kind: RoyaltyKind,
    amount: int,
    *,
    base_amount: int,
    corrects: RoyaltyInvoice | None,
    reason: str,
    cause: str | None = None,
) -> RoyaltyInvoice:
    organization = db.session.get_one(Organization, grant.organization_id)
    row = RoyaltyInvoice(
        public_id=new_public_id("roy"),
        number=_next_number(),
        kind=kind,
        corrects_id=corrects.id if corrects else None,
        cause=cause,
        grant_id=grant.id,
        organization_id=grant.organization_id,
        month=month,
        currency=corrects.currency if corrects else grant.currency,
        base=corrects.base if corrects else grant.royalty_base,
        base_amount=base_amount,
        royalty_bps=corrects.royalty_bps if corrects else grant.royalty_bps,
        minimum_amount=corrects.minimum_amount if corrects else grant.minimum_amount,
        amount=amount,
        reason=reason,
        parties=_parties(organization),
        issued_at=clock.now(),
    )
    db.session.add(row)
    db.session.flush()
    record_fact(
        "royalty.invoiced" if kind is RoyaltyKind.INVOICE else "royalty.credited",
        subject=("royalty_invoice", row.id),
        organization_id=row.organization_id,
        data={"month": month, "amount": amount, "currency": row.currency},
        idempotency_key=f"royalty:{row.id}",
    )
    return row


def _next_number() -> str:
    """The next number of this year, without gaps: its row is held until the transaction ends."""
    year = clock.now().year
    insert_if_new(RoyaltyCounter, year=year, last=0)
    counter = lock_row(RoyaltyCounter, RoyaltyCounter.year == year)
    if counter is None:
        raise ConflictError("The numbers of this year are gone.")
    counter.last += 1
    db.session.flush()
    return f"ROY-{year}-{counter.last:05}"


def _parties(organization: Organization) -> dict[str, str]:
    """Whose names stand on the invoice, as they are now."""
    who, profile = seller(), profile_of(organization.id)
    return {
        "from": ", ".join(part for part in (who.name, who.address, who.country) if part),
        "from_tax_id": who.tax_id,
        "to": ", ".join(
            part
            for part in (
                profile.legal_name, profile.address_line, profile.postal_code, profile.city,
                profile.country,
            )
            if part
        )
        if profile
        else organization.name,
        "to_tax_id": profile.tax_id if profile else "",
    }  # fmt: skip


def _held(grant_id: int) -> TerritoryGrant:
    grant = lock_row(TerritoryGrant, TerritoryGrant.id == grant_id)
    if grant is None:
        raise ConflictError("This grant is no longer there.")
    return grant


def held_invoice(invoice_id: int) -> RoyaltyInvoice:
    """The invoice, locked. Raises ConflictError when it is gone."""
    invoice = lock_row(RoyaltyInvoice, RoyaltyInvoice.id == invoice_id)
    if invoice is None:
        raise ConflictError("This invoice is no longer there.")
    return invoice
