"""What addresses of the desk may say. A filter that is none is said, and nothing is shown: a list
that left it out would be taken for the answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from billing.accounts import CHART
from billing.desk import browsing
from billing.desk.browsing import Filter
from billing.money import CURRENCIES
from marketplace.identity.models import Organization
from marketplace.sales.finance.desk import queries

MAX_ID = 2**62


@dataclass(frozen=True)
class LedgerParameters:
    """The ledger's filter as it stands in an address; `errors` says what of it is wrong."""

    wanted: Filter
    partner: Organization | None
    values: dict[str, str]
    before: int | None = None
    after: int | None = None
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def is_filtered(self) -> bool:
        """Whether anything is left out."""
        return bool(self.values)


def ledger_parameters(args: Mapping[str, str]) -> LedgerParameters:
    """The filter of `args`: account, currency, partner (slug), order, kind, source, from, to."""
    values = {
        name: text
        for name in ("account", "currency", "partner", "order", "kind", "source", "from", "to")
        if (text := args.get(name, "").strip()[:160])
    }
    errors: dict[str, str] = {}
    partner: Organization | None = None
    owner: int | None = None
    if "partner" in values:
        partner = queries.find_organization_by_slug(values["partner"])
        owner = partner.id if partner else -1
        if partner is None:
            errors["partner"] = f"There is no organization {values['partner']}."
    order_id: int | None = None
    if "order" in values:
        order_id = browsing.order_id_of(values["order"])
        if order_id is None:
            errors["order"] = f"There is no order {values['order']}."
    source_type, _, source_id = values.get("source", "").partition(":")
    code = values.get("account", "")
    currency = values.get("currency", "").upper()
    since, until = day_of(values.get("from")), day_of(values.get("to"))
    if code and code not in CHART:
        errors["account"] = f"There is no account {code}."
    if currency and currency not in CURRENCIES:
        errors["currency"] = f"There is no currency {currency}."
    if "kind" in values and values["kind"] not in browsing.kinds():
        errors["kind"] = f"Nothing of the kind {values['kind']} was posted."
    if "source" in values and not (source_type and source_id):
        errors["source"] = "A source is like order:12."
    for name, day in (("from", since), ("to", until)):
        if name in values and day is None:
            errors[name] = "Type a day like 2026-10-05."
    if since and until and since > until:
        errors["to"] = "It must not be before the first day."
    if errors:
        # Nothing is of this order: nothing is shown.
        order_id = -1
    return LedgerParameters(
        Filter(
            code=code if code in CHART else "",
            owner=owner,
            currency=currency if currency in CURRENCIES else "",
            kind=values.get("kind", ""),
            order_id=order_id,
            since=midnight(since) if since else None,
            until=midnight(until + timedelta(days=1)) if until else None,
            source=(source_type, source_id) if source_id else None,
        ),
        partner,
        values,
        row_id(args.get("before")),
        row_id(args.get("after")),
        errors,
    )


def day_of(text: str | None) -> date | None:
    """A day like 2026-10-05; None for anything else."""
    if text is None:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 2000 <= day.year <= 2200 else None


def midnight(day: date) -> datetime:
    """The first moment of a day in UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def row_id(text: str | None) -> int | None:
    """A row's id; None for anything that can be none."""
    if text is None or not text.isascii() or not text.isdigit() or len(text) > 18:
        return None
    return min(int(text), MAX_ID)
