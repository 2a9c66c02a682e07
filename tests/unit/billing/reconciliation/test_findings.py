"""What differs between a balance transaction and its entries, as a table."""

import pytest

from billing.models import BreakType
from billing.reconciliation.findings import Sides, differences_of
from billing.reconciliation.kinds import Link, link_of


@pytest.mark.parametrize(
    ("sides", "expected"),
    [
        (Sides(1_000, 40, 960, 960, 40), []),
        (Sides(-1_000, 0, -1_000, -1_000), []),
        (Sides(1_000, 40, 960, 965, 35), [(BreakType.FEE, 5)]),
        (Sides(1_000, 40, 960, 860, 40), [(BreakType.AMOUNT, 100)]),
        (Sides(1_000, 40, 960, 865, 35), [(BreakType.AMOUNT, 100), (BreakType.FEE, 5)]),
        (Sides(1_000, 40, 960, 0, 0), [(BreakType.AMOUNT, 1_000), (BreakType.FEE, 40)]),
        (Sides(1_000, 40, 960, 0, 0, 900), [(BreakType.CURRENCY, 960)]),
        # Our copy says 961 where 1,000 less 40 is 960.
        (Sides(1_000, 40, 961, 960, 40), [(BreakType.AMOUNT, 1)]),
        # A dispute: the fee is on top.
        (Sides(-1_000, 1_500, -2_500, -2_500, 1_500), []),
    ],
)
def test_what_differs(sides: Sides, expected: list[tuple[BreakType, int]]) -> None:
    assert differences_of(sides) == expected


@pytest.mark.parametrize(
    ("type_", "source", "link"),
    [
        ("charge", "ch_1", Link.CHARGE),
        ("payment", "py_1", Link.CHARGE),
        ("refund", "re_1", Link.REFUND),
        ("refund_failure", "re_1", Link.REFUND_FAILURE),
        ("adjustment", "dp_1", Link.DISPUTE),
        ("adjustment", "du_1", Link.DISPUTE),
        ("adjustment", "", Link.UNKNOWN),
        ("transfer", "tr_1", Link.TRANSFER),
        ("transfer_refund", "trr_1", Link.REVERSAL),
        ("payout", "po_1", Link.PAYOUT),
        ("payout_failure", "po_1", Link.PAYOUT_FAILURE),
        ("stripe_fee", "", Link.FEE),
        ("something_new", "x", Link.UNKNOWN),
    ],
)
def test_how_a_type_leads_to_the_ledger(type_: str, source: str, link: Link) -> None:
    assert link_of(type_, source) is link
