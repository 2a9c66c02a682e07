"""The worked examples of docs/money.md, run from the page itself."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from billing.accounts import CHART
from billing.formatting import plain_amount
from billing.models import (
    Earning,
    EarningKind,
    Funder,
    LedgerAccount,
    LedgerEntry,
    Order,
    Refund,
    TransferReversal,
)
from billing.money import share
from billing.payouts.payable import as_credit
from billing.settlement.charges import record_charge
from billing.settlement.disputes import settle_dispute
from billing.settlement.freezing import void
from billing.settlement.refunds import request_refund, settle_refund
from billing.settlement.release import release_due
from billing.settlement.reversals import settle_reversal
from marketplace.config import ROOT
from marketplace.core import clock
from marketplace.core.database import db
from tests.factories.settlement import (
    AFFILIATE,
    PUBLISHER,
    RESELLER,
    LineTerms,
    assert_sound,
    pay_out,
    sell,
    stripe_charge,
    stripe_dispute,
    stripe_refund,
)

PAGE = (ROOT / "docs" / "money.md").read_text()
PARTNERS = {"publisher": PUBLISHER, "reseller": RESELLER, "affiliate": AFFILIATE, "": 0}
Table = dict[tuple[str, str], str]


@dataclass
class Example:
    """An example of the page: steps, and the balances after them, several times."""

    title: str
    parts: list[tuple[list[str], Table]] = field(default_factory=list)


def _examples() -> Iterator[Example]:
    for section in re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:]:
        title, _, text = section.partition("\n")
        if not title.startswith("Example"):
            continue
        example = Example(title)
        for match in re.finditer(r"```steps\n(.*?)```\n+((?:\|[^\n]*\n)+)", text, flags=re.DOTALL):
            rows = [row.strip().strip("|").split("|") for row in match[2].strip().split("\n")[2:]]
            table = {(row[0].strip(), row[1].strip()): row[2].strip() for row in rows}
            example.parts.append((match[1].strip().split("\n"), table))
        yield example


EXAMPLES = list(_examples())


def _cents(text: str) -> int:
    whole, _, rest = text.partition(".")
    return int(whole) * 100 + int(rest.ljust(2, "0"))


def _bps(text: str) -> int:
    return _cents(text.rstrip("%"))


class Story:
    """Runs the steps."""

    def __init__(self) -> None:
        self.order: Order | None = None

    def run(self, step: str) -> None:
        """One step, as it is written on the page."""
        words = step.split()
        match words:
            case ["sell", *terms]:
                self.order, _ = sell(self._terms(dict(term.split("=") for term in terms)))
            case ["stripe", "fee", amount]:
                record_charge(self._order.id, stripe_charge(self._order, fee=_cents(amount)))
            case ["refund", "fails"]:
                self._settle(db.session.scalars(select(Refund)).one(), status="failed")
            case ["refund", amount]:
                refund = request_refund(self._order, _cents(amount), reason="", by_user_id=1)
                self._settle(refund)
            case ["release"]:
                clock.shift(timedelta(days=15))
                release_due()
                clock.shift(timedelta(days=-15))
            case ["pay", "out", partner]:
                assert pay_out(PARTNERS[partner]) is not None
            case ["stripe", verb, "the", "reversal"]:
                row = db.session.scalars(select(TransferReversal)).one()
                settle_reversal(row.id, "trr_1" if verb == "makes" else None, "no balance")
            case ["dispute", "lost"]:
                settle_dispute(stripe_dispute(self._order, 10_000, "du_1", "lost"))
            case ["dispute", amount, "fee", "15.00"]:
                settle_dispute(stripe_dispute(self._order, _cents(amount), "du_1"))
            case ["void", "the", "commission"]:
                commission = select(Earning).where(Earning.kind == EarningKind.AFFILIATE_COMMISSION)
                void(db.session.scalars(commission).one(), "Bought from themselves")
            case _:
                pytest.fail(f"nobody knows the step {step!r}")

    @property
    def _order(self) -> Order:
        assert self.order is not None
        return self.order

    def _settle(self, refund: Refund, **fields: object) -> None:
        found = stripe_refund(self._order, refund.amount, f"re_{refund.id}", **fields)
        settle_refund({**found, "metadata": {"refund_id": refund.public_id}})

    def _terms(self, told: dict[str, str]) -> LineTerms:
        price, discount = _cents(told["price"]), _cents(told.get("discount", "0"))
        funder = told.get("funded-by")
        return LineTerms(
            price,
            discount=discount,
            by_platform=_cents(told.get("platform-funds", "0")),
            tax_bps=_bps(told.get("tax", "0")),
            fee_bps=_bps(told["fee"]),
            floor=_cents(told["floor"]) if "floor" in told else None,
            commission=share(price - discount, _bps(told.get("commission", "0"))),
            funder=Funder(funder) if funder else None,
        )


def _balances() -> Table:
    rows = db.session.execute(
        select(LedgerAccount.code, LedgerAccount.owner, func.sum(as_credit()))
        .join(LedgerEntry, LedgerEntry.account_id == LedgerAccount.id)
        .group_by(LedgerAccount.code, LedgerAccount.owner)
        .having(func.sum(as_credit()) != 0)
    ).all()
    names = {number: name for name, number in PARTNERS.items()}
    return {
        (CHART[code].title, names[owner]): plain_amount(
            int(total) * (1 if CHART[code].normal_side.value == "credit" else -1), "EUR"
        )
        for code, owner, total in rows
    }


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.title)
def test_a_worked_example_is_what_the_ledger_does(app: Flask, example: Example) -> None:
    assert example.parts
    story = Story()
    for steps, table in example.parts:
        for step in steps:
            story.run(step)
        assert _balances() == table
    assert_sound()


def test_the_page_has_examples() -> None:
    assert len(EXAMPLES) >= 14
