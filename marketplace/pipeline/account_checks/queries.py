"""Account checks, as a party sees them."""

from sqlalchemy import or_, select

from marketplace.core.database import db
from marketplace.core.pagination import Page, paginate
from marketplace.pipeline.account_checks.models import AccountCheck, AccountReceipt
from marketplace.pipeline.leads.queries import signed_in

PER_PAGE = 25


def find_check(account_check_id: str) -> AccountCheck | None:
    """The check of that public id."""
    signed_in()
    return db.session.scalar(select(AccountCheck).where(AccountCheck.public_id == account_check_id))


def find_receipt(account_receipt_id: str) -> AccountReceipt | None:
    """The receipt of that public id."""
    signed_in()
    return db.session.scalar(
        select(AccountReceipt).where(AccountReceipt.public_id == account_receipt_id)
    )


def page_of_checks(organization_id: int, page: int) -> Page[AccountCheck]:
    """A partner's checks, the newest first; two queries."""
    return paginate(
        select(AccountCheck)
        .where(
            or_(
                AccountCheck.inviter_id == organization_id,
                AccountCheck.invitee_id == organization_id,
            )
        )
        .order_by(AccountCheck.id.desc()),
        page=page,
        per_page=PER_PAGE,
    )
