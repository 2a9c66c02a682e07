"""Giving discounts, their codes, and giving them no more."""

import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime

from billing.discount_offers import normal_code
from billing.models import Discount, DiscountKind, Funder, PromotionCode
from billing.money import BPS, CURRENCIES, MAX_AMOUNT
from billing.public_ids import new_public_id
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.facts import record_fact
from marketplace.core.once import insert_if_new
from marketplace.core.permissions import Actor
from marketplace.sales.plans import queries

MAX_NAME = 80
MAX_MONTHS = 36
MAX_CODES = 200
MAX_LISTINGS = 50
MAX_USES = 1_000_000
# Days beyond are slips of the pen, and some cannot be told in every time zone.
FIRST_DAY, LAST_DAY = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
_CODE = re.compile(r"[A-Z0-9][A-Z0-9_-]{2,39}")
# Without letters and digits that look alike.
_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"


@dataclass(frozen=True)
class DiscountValues:
    """What was typed of a discount. `amount` and `minimum` in minor units of `currency`."""

    name: str
    kind: str
    bps: int | None
    amount: int | None
    currency: str
    lasts: str
    months: int | None
    is_automatic: bool
    is_stackable: bool
    plan_ids: tuple[int, ...] = ()
    # The ends of listings' addresses. The platform's discounts alone are narrowed so.
    listings: tuple[str, ...] = ()
    tiers: tuple[str, ...] = ()
    minimum: int | None = None
    max_uses: int | None = None
    max_uses_each: int | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    code: str = ""


def create_discount(
    actor: Actor,
    publisher_id: int | None,
    values: DiscountValues,
    *,
    allowed_plans: set[int],
    allowed_tiers: set[str],
) -> Discount:
    """A discount of a publisher, or (None) the platform's own, which bears it. With its first
    code unless it is automatic. Raises InvalidError."""
    wrong = _wrong(values, allowed_plans, allowed_tiers)
    code = normal_code(values.code)
    if not values.is_automatic:
        wrong |= _code_wrong(code, publisher_id)
    if wrong:
        raise InvalidError(wrong)
    discount = Discount(
        public_id=new_public_id("disc"),
        publisher_id=publisher_id,
        funder=Funder.PLATFORM if publisher_id is None else Funder.PUBLISHER,
        kind=DiscountKind(values.kind),
        name="",
        is_automatic=values.is_automatic,
        created_by_id=actor.user_id,
        starts_at=values.starts_at or clock.now(),
    )
    _take_over(discount, values)
    db.session.add(discount)
    db.session.flush()
    if not values.is_automatic:
        add_code(actor, discount, code)
    _note(actor, discount, "discount.created")
    return discount


def change_discount(
    actor: Actor,
    discount: Discount,
    values: DiscountValues,
    *,
    allowed_plans: set[int],
    allowed_tiers: set[str],
) -> None:
    """Change it for orders to come, as its next version. Percent stays percent, automatic stays
    automatic. Raises InvalidError, ConflictError once it is archived."""
    _must_not_be_archived(discount)
    wrong = _wrong(
        values, allowed_plans | set(discount.plan_ids), allowed_tiers | set(discount.tiers)
    )
    if wrong:
        raise InvalidError(wrong)
    _take_over(discount, values)
    discount.version += 1
    _note(actor, discount, "discount.changed")


def archive(actor: Actor, discount: Discount) -> bool:
    """Give it no more. Subscriptions that have it keep it. Whether that is new."""
    if discount.archived_at is not None:
        return False
    discount.archived_at = clock.now()
    _note(actor, discount, "discount.archived")
    return True


def add_code(
    actor: Actor,
    discount: Discount,
    code: str,
    *,
    max_uses: int | None = None,
    expires_at: datetime | None = None,
) -> PromotionCode:
    """A code for a discount; one made up when none is given. It counts until `expires_at`, or for
    as long as the discount. Raises InvalidError when the seller has it already or it is none,
    ConflictError for an automatic discount or too many codes."""
    _must_not_be_archived(discount)
    if discount.is_automatic:
        raise ConflictError("An automatic discount needs no code.")
    if len(discount.codes) >= MAX_CODES:
        raise ConflictError(f"A discount has at most {MAX_CODES} codes.")
    code = normal_code(code) or made_up_code()
    wrong = _code_wrong(code, discount.publisher_id) | _uses_wrong("max_uses", max_uses)
    if expires_at is not None and not clock.now() < expires_at < LAST_DAY:
        wrong["expires_at"] = f"A day to come, before {LAST_DAY.year}."
    if wrong:
        raise InvalidError(wrong)
    made = insert_if_new(
        PromotionCode,
        discount_id=discount.id,
        publisher_id=discount.publisher_id,
        code=code,
        max_uses=max_uses,
        expires_at=expires_at,
        created_at=clock.now(),
    )
    if made is None:
        raise InvalidError({"code": TAKEN})
    db.session.refresh(discount, ["codes"])
    _note(actor, discount, "discount.code_added", {"code": code})
    return db.session.get_one(PromotionCode, made)


def switch_code(actor: Actor, code: PromotionCode, *, is_on: bool) -> bool:
    """Take a code out of use, or let it be used again; whether that is new."""
    if is_on is (code.disabled_at is None):
        return False
    code.disabled_at = None if is_on else clock.now()
    done = "discount.code_enabled" if is_on else "discount.code_disabled"
    _note(actor, code.discount, done, {"code": code.code})
    return True


TAKEN = "You have this code already. Choose another one."


def made_up_code() -> str:
    """A code that nobody guesses, like K7QX2MPR."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(8))


def _take_over(discount: Discount, values: DiscountValues) -> None:
    is_percent = discount.kind is DiscountKind.PERCENT
    discount.name = values.name.strip()
    discount.bps = (values.bps or 0) if is_percent else 0
    discount.amount = 0 if is_percent else (values.amount or 0)
    needs_currency = not is_percent or bool(values.minimum)
    discount.currency = values.currency if needs_currency else None
    discount.months = {"once": 1, "always": None}.get(values.lasts, values.months)
    discount.is_stackable = values.is_stackable
    discount.plan_ids = list(values.plan_ids)
    if discount.publisher_id is None:
        discount.listing_ids = sorted(queries.listing_ids_by_slug(values.listings).values())
    discount.tiers = list(values.tiers)
    discount.minimum = values.minimum or 0
    discount.max_uses, discount.max_uses_each = values.max_uses, values.max_uses_each
    discount.starts_at = values.starts_at or discount.starts_at or clock.now()
    discount.ends_at = values.ends_at


def _wrong(
    values: DiscountValues, allowed_plans: set[int], allowed_tiers: set[str]
) -> dict[str, str]:
    wrong: dict[str, str] = {}
    if not values.name.strip():
        wrong["name"] = "Give it a name: customers see it."
    elif len(values.name.strip()) > MAX_NAME:
        wrong["name"] = f"At most {MAX_NAME} characters."
    if values.kind not in {each.value for each in DiscountKind}:
        wrong["kind"] = "Choose one."
    elif values.kind == DiscountKind.PERCENT.value:
        if values.bps is None or not 0 < values.bps <= BPS:
            wrong["bps"] = "From 0.01% to 100%."
    elif values.amount is None or not 0 < values.amount <= MAX_AMOUNT:
        wrong["amount"] = "Type an amount like 5.00."
    if values.currency not in CURRENCIES and (values.amount or values.minimum):
        wrong["currency"] = "Choose a currency."
    if values.lasts not in {"once", "some", "always"}:
        wrong["lasts"] = "Choose one."
    elif values.lasts == "some" and not 2 <= (values.months or 0) <= MAX_MONTHS:
        wrong["months"] = f"From 2 to {MAX_MONTHS} payments."
    wrong |= _uses_wrong("max_uses", values.max_uses)
    wrong |= _uses_wrong("max_uses_each", values.max_uses_each)
    for field in ("starts_at", "ends_at"):
        day = getattr(values, field)
        if day is not None and not FIRST_DAY <= day < LAST_DAY:
            wrong[field] = f"A day from {FIRST_DAY.year} to {LAST_DAY.year - 1}."
    if (
        "ends_at" not in wrong
        and values.ends_at is not None
        and values.ends_at <= (values.starts_at or clock.now())
    ):
        wrong["ends_at"] = "It ends after it begins."
    if set(values.plan_ids) - allowed_plans:
        wrong["plan_ids"] = "Choose from your plans."
    if len(values.listings) > MAX_LISTINGS:
        wrong["listings"] = f"At most {MAX_LISTINGS} listings."
    elif values.listings and (
        unknown := set(values.listings) - queries.listing_ids_by_slug(values.listings).keys()
    ):
        wrong["listings"] = f"There is no listing {sorted(unknown)[0][:80]}."
    if set(values.tiers) - allowed_tiers:
        wrong["tiers"] = "Choose from the program's tiers."
    return wrong


def _uses_wrong(field: str, most: int | None) -> dict[str, str]:
    if most is None or 1 <= most <= MAX_USES:
        return {}
    return {field: f"From 1 to {MAX_USES:,}, or nothing for no limit."}


def _code_wrong(code: str, publisher_id: int | None) -> dict[str, str]:
    if not _CODE.fullmatch(code):
        return {"code": "3 to 40 letters, digits, - or _."}
    return {"code": TAKEN} if queries.has_code(publisher_id, code) else {}


def _must_not_be_archived(discount: Discount) -> None:
    if discount.archived_at is not None:
        raise ConflictError("It is archived.")


def _note(
    actor: Actor, discount: Discount, kind: str, data: dict[str, object] | None = None
) -> None:
    db.session.flush()
    record_fact(
        kind,
        subject=("discount", discount.public_id),
        organization_id=discount.publisher_id,
        actor_user_id=actor.user_id,
        data={"name": discount.name, "version": discount.version, **(data or {})},
    )
