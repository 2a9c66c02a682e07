"""The steps of a receipt always sum to the line; what was rounded is told."""

from typing import Any

import pytest

from billing.models import Earning, EarningKind, Funder, Order, OrderLine
from marketplace.sales.earnings.receipts import receipt_for
from marketplace.sales.earnings.texts import requirements_in_words, txn_label

SHARE = EarningKind.PUBLISHER_SHARE
MARGIN = EarningKind.RESELLER_MARGIN
COMMISSION = EarningKind.AFFILIATE_COMMISSION


def earning(
    kind: EarningKind, amount: int, *, currency: str = "EUR", reversed_amount: int = 0, **line: Any
) -> Earning:
    values = {
        "description": "x", "quantity": 1, "unit_amount": 10_000, "list_amount": 10_000,
        "discount_amount": 0, "discount_platform_amount": 0, "discounts": [],
        "net_amount": 10_000, "fee_base": 10_000, "fee_bps": 1_500, "fee_fixed": 0,
        "fee_amount": 1_500, "floor_amount": 0, "margin_amount": 0, "commission_amount": 0,
        "commission_bps": 0, "commission_base": 0,
    }  # fmt: skip
    row = OrderLine(**{**values, **line}, order=Order(currency=currency))
    return Earning(
        kind=kind, amount=amount, reversed_amount=reversed_amount, currency=currency, line=row,
        base=row.commission_base or row.fee_base, rate_bps=row.commission_bps,
    )  # fmt: skip


def steps(row: Earning) -> list[tuple[str, int]]:
    found = receipt_for(row, fee_rule=None, commission_rule=None, exchange=[])
    return [(step.label, step.amount) for step in found.steps]


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (earning(SHARE, 8_500), [("Price", 10_000), ("Our fee", -1_500), ("Yours", 8_500)]),
        (
            earning(
                SHARE, 7_150, discount_amount=1_000, net_amount=9_000, fee_base=9_000,
                fee_amount=1_350, commission_amount=500, commission_funder=Funder.PUBLISHER,
                commission_bps=556, commission_base=9_000,
            ),
            [
                ("Price", 10_000),
                ("Discount that the seller funds", -1_000),
                ("Our fee", -1_350),
                ("The affiliate's commission", -500),
                ("Yours", 7_150),
            ],
        ),
        # A discount that the platform funds is no step: the partner gets the full price.
        (
            earning(SHARE, 8_500, discount_amount=1_000, discount_platform_amount=1_000),
            [("Price", 10_000), ("Our fee", -1_500), ("Yours", 8_500)],
        ),
        # The platform bears the commission of its own program.
        (
            earning(SHARE, 8_500, commission_amount=500, commission_funder=Funder.PLATFORM),
            [("Price", 10_000), ("Our fee", -1_500), ("Yours", 8_500)],
        ),
        (
            earning(
                SHARE, 6_800, margin_amount=2_000, floor_amount=8_000, fee_base=8_000,
                fee_amount=1_200,
            ),
            [
                ("Price", 10_000),
                ("The reseller's margin", -2_000),
                ("Our fee", -1_200),
                ("Yours", 6_800),
            ],
        ),
        (
            earning(MARGIN, 2_000, margin_amount=2_000, floor_amount=8_000),
            [
                ("Price", 10_000),
                ("The floor price, for publisher and fee", -8_000),
                ("Yours", 2_000),
            ],
        ),
        (
            earning(
                COMMISSION, 2_000, commission_amount=2_000, commission_bps=2_000,
                commission_base=10_000,
            ),
            [
                ("What the customer paid, without tax", 10_000),
                ("Not yours", -8_000),
                ("Yours", 2_000),
            ],
        ),
        (
            earning(SHARE, 8_500, reversed_amount=2_500),
            [
                ("Price", 10_000),
                ("Our fee", -1_500),
                ("Yours", 8_500),
                ("Refunded or lost in a dispute", -2_500),
                ("Left of it", 6_000),
            ],
        ),
    ],
)  # fmt: skip
def test_the_steps_lead_from_the_price_to_the_line(
    row: Earning, expected: list[tuple[str, int]]
) -> None:
    assert steps(row) == expected
    total = sum(amount for label, amount in expected[: expected.index(("Yours", row.amount))])
    assert total == row.amount


def test_what_does_not_add_up_is_shown_and_not_hidden() -> None:
    assert ("Added or kept by us", 100) in steps(earning(SHARE, 8_600))


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (earning(SHARE, 8_500), ""),
        (
            earning(SHARE, 2_916, fee_base=3_333, fee_bps=1_250, fee_amount=417),
            "12.5% of €33.33 is 4.16625 EUR, rounded to €4.17: halves go up.",
        ),
        (
            earning(SHARE, 291, currency="JPY", fee_base=333, fee_bps=1_250, fee_amount=42),
            "12.5% of ¥333 is 41.625 JPY, rounded to ¥42: halves go up.",
        ),
    ],
)
def test_rounding_is_told_where_there_was_any(row: Earning, said: str) -> None:
    found = receipt_for(row, fee_rule=None, commission_rule=None, exchange=[])
    assert found.rounding == said


def test_requirements_are_named_once_and_as_exactly_as_we_can() -> None:
    assert requirements_in_words(
        [
            "external_account",
            "individual.verification.document",
            "individual.dob.day",
            "individual.dob.month",
            "some_new.thing",
        ]
    ) == [
        "A bank account",
        "A photo of your identity document",
        "Details about you",
        "some new, thing",
    ]


@pytest.mark.parametrize(
    ("kind", "label"),
    [
        ("sale", "Sale"),
        ("refund_reversal", "Refund, reversed"),
        ("dispute_lost", "Dispute"),
        ("payout_reserve", "Payout"),
        ("payout_reversed", "Payout taken back"),
        ("something_new", "Something new"),
    ],
)
def test_transactions_have_names(kind: str, label: str) -> None:
    assert txn_label(kind) == label
