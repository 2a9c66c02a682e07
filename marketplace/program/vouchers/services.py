"""Issuing, redeeming and revoking vouchers, and using the credit. All of it flushes."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select

from billing.formatting import AmountError, format_money, parse_amount
from billing.models import Order, OrderState
from billing.money import CURRENCIES
from billing.public_ids import new_public_id
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError, NotFoundError
from marketplace.core.facts import record_fact
from marketplace.core.locks import lock_row
from marketplace.core.once import id_of_form, insert_if_new
from marketplace.identity.models import Organization
from marketplace.identity.own_partner import is_member
from marketplace.program.policy.live import current_policy
from marketplace.program.vouchers.models import CreditAccount, CreditEntry, CreditKind, Voucher
from marketplace.program.vouchers.tokens import hash_of, new_token, tidy_token

MOST_AT_ONCE = 100
# In minor units. One person issues up to this much with one click; what is more together is typed
# once more.
MOST_AMOUNT = 1_000_000
LONGEST = timedelta(days=3 * 366)
UNKNOWN = "This is no token of ours. Check each letter; tokens have no 0, O, 1, I and L."

ISSUED_ALREADY = (
    "These tokens were issued already, and nothing new was. If you do not have them, take them "
    "back in this list and issue others."
)
ISSUED_BY_MEMBER = (
    "This token was issued by a member of your organization. Ask for one that somebody else issued."
)


@dataclass(frozen=True)
class Issue:
    """What is issued. `amount` and `total` as they were typed, `expires_at` the end of its last
    day."""

    count: int
    amount: str
    currency: str
    partner_type: str
    note: str
    expires_at: datetime | None
    total: str = ""


def issue(wish: Issue, *, by_user_id: int | None, form_key: str = "") -> list[tuple[Voucher, str]]:
    """New vouchers with their tokens, which are known only now.

    A form, by its key, issues once, however often it is sent: after that ConflictError is raised.
    What is more than `MOST_AMOUNT` together is confirmed by typing the total. Raises InvalidError
    (fields count, amount, currency, total, partner_type, note, until).
    """
    errors: dict[str, str] = {}
    amount = 0
    if not 1 <= wish.count <= MOST_AT_ONCE:
        errors["count"] = f"Enter a number from 1 to {MOST_AT_ONCE}."
    if wish.currency not in CURRENCIES:
        errors["currency"] = "Choose a currency."
    else:
        try:
            amount = parse_amount(wish.amount, wish.currency)
        except AmountError as error:
            errors["amount"] = str(error)
        else:
            if not 0 < amount <= MOST_AMOUNT:
                most = format_money(MOST_AMOUNT, wish.currency)
                errors["amount"] = f"Enter an amount above nothing, and not above {most}."
    together = wish.count * amount
    if not errors and together > MOST_AMOUNT and not _is_amount(wish.total, wish, together):
        errors["total"] = (
            f"That is {format_money(together, wish.currency)} together. Type this amount to "
            "confirm it."
        )
    now = clock.now()
    if wish.expires_at is None or not now < wish.expires_at <= now + LONGEST:
        errors["until"] = "Choose a day within the next three years."
    live = current_policy()
    if wish.partner_type and (live is None or live.policy.type(wish.partner_type) is None):
        errors["partner_type"] = "Choose a type from the list."
    if len(wish.note) > 200:
        errors["note"] = "Use at most 200 characters."
    if errors or wish.expires_at is None:
        raise InvalidError(errors)
    made = []
    # The first one has the form's id, which is there once.
    public_id = id_of_form("vou", form_key, by_user_id)
    for _ in range(wish.count):
        token = new_token()
        row_id = insert_if_new(
            Voucher,
            public_id=public_id,
            token_hash=hash_of(token),
            ending=token[-4:],
            amount=amount,
            currency=wish.currency,
            partner_type=wish.partner_type,
            note=wish.note,
            created_at=now,
            created_by_id=by_user_id,
            expires_at=wish.expires_at,
        )
        if row_id is None:
            raise ConflictError(ISSUED_ALREADY)
        made.append((db.session.get_one(Voucher, row_id), token))
        public_id = new_public_id("vou")
    record_fact(
        "vouchers.issued",
        subject=("voucher", made[0][0].id),
        actor_user_id=by_user_id,
        data={"count": wish.count, "amount": amount, "currency": wish.currency},
    )
    return made


def _is_amount(typed: str, wish: Issue, amount: int) -> bool:
    try:
        return parse_amount(typed, wish.currency) == amount
    except AmountError:
        return False


def redeem(organization: Organization, typed: str, *, user_id: int | None) -> Voucher:
    """Post the credit of a token, once. Raises InvalidError (field token) that says why not."""
    if not tidy_token(typed):
        raise InvalidError({"token": UNKNOWN})
    row = lock_row(Voucher, Voucher.token_hash == hash_of(typed))
    if row is None:
        raise InvalidError({"token": UNKNOWN})
    if row.redeemed_at is not None:
        own = row.organization_id == organization.id
        whose = "by you" if own else "already"
        raise InvalidError({"token": f"This token was used {whose}. Each counts once."})
    if row.revoked_at is not None:
        raise InvalidError({"token": "This token was taken back. Ask whoever gave it to you."})
    if row.expires_at <= clock.now():
        raise InvalidError(
            {"token": f"This token expired on {row.expires_at - timedelta(seconds=1):%d %b %Y}."}
        )
    # Whoever gives credit gives none to an organization of their own, nor do its other members.
    if is_member(row.created_by_id, organization.id):
        raise InvalidError({"token": ISSUED_BY_MEMBER})
    if row.partner_type and row.partner_type != organization.partner_type:
        live = current_policy()
        kind = live.policy.type(row.partner_type) if live else None
        name = kind.name if kind else row.partner_type
        raise InvalidError({"token": f"This token is for partners of another type: {name}."})
    row.redeemed_at, row.redeemed_by_id = clock.now(), user_id
    row.organization_id = organization.id
    account = _account(organization.id, row.currency)
    _post(
        account,
        CreditKind.VOUCHER,
        row.amount,
        key=f"voucher:{row.id}",
        voucher_id=row.id,
        description=row.note or "Voucher",
        user_id=user_id,
    )
    record_fact(
        "voucher.redeemed",
        subject=("voucher", row.id),
        actor_user_id=user_id,
        organization_id=organization.id,
        data={"amount": row.amount, "currency": row.currency},
        idempotency_key=f"voucher.redeemed:{row.id}",
    )
    db.session.flush()
    return row


def revoke(voucher: Voucher, *, by_user_id: int | None) -> bool:
    """Take an unused voucher back; False when it was taken back. Raises ConflictError when it was
    used."""
    row = lock_row(Voucher, Voucher.id == voucher.id)
    if row is None:
        raise NotFoundError
    if row.redeemed_at is not None:
        raise ConflictError("It was used already.")
    if row.revoked_at is not None:
        return False
    row.revoked_at, row.revoked_by_id = clock.now(), by_user_id
    record_fact("voucher.revoked", subject=("voucher", row.id), actor_user_id=by_user_id)
    db.session.flush()
    return True


def balances(organization_id: int) -> dict[str, int]:
    """What is left of a partner's credit, by currency, in minor units."""
    rows = db.session.execute(
        select(CreditAccount.currency, func.sum(CreditEntry.amount))
        .join(CreditEntry, CreditEntry.account_id == CreditAccount.id)
        .where(CreditAccount.organization_id == organization_id)
        .group_by(CreditAccount.currency)
        .order_by(CreditAccount.currency)
    )
    return {currency: int(total) for currency, total in rows}


def spend(organization_id: int, order: Order, amount: int, *, user_id: int | None) -> None:
    """Use credit for an order, once for each order. Raises ConflictError when there is less."""
    account = _account(organization_id, order.currency)
    key = f"fee:{order.id}"
    if db.session.scalar(select(CreditEntry.id).where(CreditEntry.idempotency_key == key)):
        return
    if balance_of(account) < amount:
        raise ConflictError("Your credit is less than the fee.")
    _post(
        account,
        CreditKind.FEE,
        -amount,
        key=key,
        order_id=order.id,
        description=order.lines[0].description if order.lines else "Fee",
        user_id=user_id,
    )
    record_fact(
        "credit.spent",
        subject=("order", order.id),
        actor_user_id=user_id,
        organization_id=organization_id,
        data={"amount": amount, "currency": order.currency},
    )


def return_unused() -> int:
    """Give back what was set apart for orders that were given up; how many."""
    given_up = (OrderState.EXPIRED, OrderState.CANCELED, OrderState.FAILED)
    back = select(CreditEntry.order_id).where(CreditEntry.kind == CreditKind.RETURNED)
    rows = db.session.execute(
        select(CreditEntry, CreditAccount)
        .join(CreditAccount, CreditAccount.id == CreditEntry.account_id)
        .join(Order, Order.id == CreditEntry.order_id)
        .where(
            CreditEntry.kind == CreditKind.FEE,
            Order.state.in_(given_up),
            CreditEntry.order_id.not_in(back),
        )
        .order_by(CreditEntry.id)
        .limit(500)
    ).all()
    for entry, account in rows:
        _post(
            account,
            CreditKind.RETURNED,
            -entry.amount,
            key=f"returned:{entry.order_id}",
            order_id=entry.order_id,
            description=entry.description,
            user_id=None,
        )
    return len(rows)


def balance_of(account: CreditAccount) -> int:
    """What is left in an account, in minor units."""
    found = db.session.scalar(
        select(func.sum(CreditEntry.amount)).where(CreditEntry.account_id == account.id)
    )
    return int(found or 0)


def _account(organization_id: int, currency: str) -> CreditAccount:
    insert_if_new(CreditAccount, organization_id=organization_id, currency=currency)
    account = lock_row(
        CreditAccount,
        CreditAccount.organization_id == organization_id,
        CreditAccount.currency == currency,
    )
    if account is None:
        raise NotFoundError
    return account


def _post(
    account: CreditAccount,
    kind: CreditKind,
    amount: int,
    *,
    key: str,
    description: str,
    user_id: int | None,
    voucher_id: int | None = None,
    order_id: int | None = None,
) -> None:
    insert_if_new(
        CreditEntry,
        account_id=account.id,
        kind=kind,
        amount=amount,
        voucher_id=voucher_id,
        order_id=order_id,
        description=description[:200],
        by_user_id=user_id,
        at=clock.now(),
        idempotency_key=key,
    )
