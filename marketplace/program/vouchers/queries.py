"""Reading vouchers and credit."""

from collections.abc import Iterable

from sqlalchemy import Select, select

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.pagination import Page, paginate
from marketplace.identity.models import Organization
from marketplace.program.applications.words import line
from marketplace.program.vouchers.models import CreditAccount, CreditEntry, Voucher

STATES = ("open", "used", "expired", "revoked")


def find_voucher(voucher_id: str) -> Voucher | None:
    """The voucher of that public id."""
    return db.session.scalar(select(Voucher).where(Voucher.public_id == line(voucher_id)))


def vouchers(state: str, text: str) -> Select[Voucher]:
    """Vouchers in a state (all without one), by note or ending, the newest first."""
    now = clock.now()
    query = select(Voucher)
    if state == "used":
        query = query.where(Voucher.redeemed_at.is_not(None))
    elif state in STATES:
        query = query.where(Voucher.redeemed_at.is_(None))
        query = query.where(
            Voucher.revoked_at.is_not(None) if state == "revoked" else Voucher.revoked_at.is_(None)
        )
    if state == "open":
        query = query.where(Voucher.expires_at > now)
    elif state == "expired":
        query = query.where(Voucher.expires_at <= now)
    if text:
        query = query.where(
            Voucher.note.icontains(text, autoescape=True) | (Voucher.ending == text.upper())
        )
    return query.order_by(Voucher.created_at.desc(), Voucher.id.desc())


def page_of_vouchers(query: Select[Voucher], page: int) -> Page[Voucher]:
    """One page of them."""
    return paginate(query, page=page, per_page=30)


def page_of_entries(organization_id: int, page: int) -> Page[CreditEntry]:
    """What moved a partner's credit, the newest first."""
    return paginate(
        select(CreditEntry)
        .join(CreditAccount, CreditAccount.id == CreditEntry.account_id)
        .where(CreditAccount.organization_id == organization_id)
        .order_by(CreditEntry.at.desc(), CreditEntry.id.desc()),
        page=page,
        per_page=20,
    )


def currencies_of(account_ids: Iterable[int]) -> dict[int, str]:
    """The currencies of accounts by id."""
    rows = db.session.execute(
        select(CreditAccount.id, CreditAccount.currency).where(
            CreditAccount.id.in_(set(account_ids))
        )
    )
    return dict(iter(rows))


def organizations_by_id(ids: Iterable[int | None]) -> dict[int, Organization]:
    """Organizations by id."""
    wanted = {each for each in ids if each is not None}
    rows = db.session.scalars(select(Organization).where(Organization.id.in_(wanted)))
    return {row.id: row for row in rows}
