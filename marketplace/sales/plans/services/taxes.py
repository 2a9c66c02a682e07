"""Setting tax rates. A rate never changes: a new one counts from its day on."""

from datetime import datetime

from billing.models import TaxRate
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import InvalidError
from marketplace.core.facts import record_fact
from marketplace.core.permissions import Actor
from marketplace.identity.countries import COUNTRIES

MAX_NAME = 40


def add_rate(
    actor: Actor,
    *,
    country: str,
    name: str,
    bps: int | None,
    has_reverse_charge: bool,
    effective_from: datetime | None,
) -> TaxRate:
    """A tax that is due in a country from a day on (now without one). Raises InvalidError."""
    wrong = {}
    if country not in COUNTRIES:
        wrong["country"] = "Choose a country."
    if not name.strip() or len(name.strip()) > MAX_NAME:
        wrong["name"] = f"A name like VAT, of at most {MAX_NAME} characters."
    if bps is None:
        wrong["bps"] = "Type a percentage like 19; 0 for none."
    if effective_from is not None and effective_from < clock.now().replace(hour=0, minute=0):
        wrong["effective_from"] = "Choose a day to come, or none for now."
    if wrong or bps is None:
        raise InvalidError(wrong)
    rate = TaxRate(
        country=country,
        name=name.strip(),
        bps=bps,
        has_reverse_charge=has_reverse_charge,
        effective_from=effective_from or clock.now(),
        created_by_id=actor.user_id,
    )
    db.session.add(rate)
    db.session.flush()
    record_fact(
        "tax_rate.added",
        subject=("tax_rate", rate.id),
        actor_user_id=actor.user_id,
        data={"country": country, "bps": bps, "reverse_charge": has_reverse_charge},
    )
    return rate
