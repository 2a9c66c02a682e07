"""Fields of amounts and rates."""

import pytest
from werkzeug.datastructures import MultiDict
from wtforms import Form, StringField

from marketplace.sales.money_field import MoneyField, PercentField


class PriceForm(Form):  # type: ignore[misc]  # wtforms has no types
    currency = StringField()
    amount = MoneyField("Price")
    worth = MoneyField("Worth", most=1_000_000_000)
    rate = PercentField("Share", most_bps=5_000)


def filled(**values: str) -> PriceForm:
    return PriceForm(MultiDict({"currency": "EUR", **values}))


def test_an_amount_is_read_in_the_currency_chosen_beside_it() -> None:
    form = filled(amount="12.50", currency="eur")
    assert form.validate()
    assert form.amount.data == 1_250
    assert filled(amount="").amount.data is None


def test_a_field_for_what_is_not_charged_takes_more() -> None:
    form = filled(worth="1,200,000.00")
    assert form.validate()
    assert form.worth.data == 120_000_000


@pytest.mark.parametrize(
    ("values", "field", "says"),
    [
        ({"amount": "1,000,000"}, "amount", "At most €999,999.99"),
        ({"worth": "10,000,000.01"}, "worth", "At most €10,000,000.00"),
        ({"amount": "12.505"}, "amount", "2 decimals"),
        ({"amount": "x"}, "amount", "like 12.50"),
        ({"amount": "5", "currency": "ZZZ"}, "amount", "currency first"),
        ({"rate": "51"}, "rate", "From 0% to 50%"),
        ({"rate": "-1"}, "rate", "From 0%"),
        ({"rate": "nan"}, "rate", "From 0%"),
        ({"rate": "1.005"}, "rate", "two decimals"),
        ({"rate": "lots"}, "rate", "like 12.5"),
        ({"rate": "1e1"}, "rate", "like 12.5"),
    ],
)
def test_what_is_wrong_is_said_at_the_field_and_what_was_typed_stays(
    values: dict[str, str], field: str, says: str
) -> None:
    form = filled(**values)
    assert not form.validate()
    assert says in form[field].errors[0]
    assert form[field]._value() == values[field]


@pytest.mark.parametrize(
    ("typed", "bps"), [("12.5", 1_250), ("12,5 %", 1_250), ("0", 0), ("50", 5_000)]
)
def test_a_rate_is_kept_in_basis_points(typed: str, bps: int) -> None:
    form = filled(rate=typed)
    assert form.validate()
    assert form.rate.data == bps


def test_a_kept_value_is_shown_as_people_type_it() -> None:
    form = PriceForm(data={"rate": 1_250, "amount": 1_250, "currency": "EUR"})
    assert form.rate._value() == "12.5"
    assert form.amount.value_for("EUR") == "12.50"
