"""Which tax a customer pays, as a table."""

import pytest

from billing.models import TaxRate
from billing.taxes import decide_tax, tax_of

GERMANY = TaxRate(id=1, country="DE", name="VAT", bps=1_900, has_reverse_charge=True)
FRANCE = TaxRate(id=2, country="FR", name="TVA", bps=2_000, has_reverse_charge=True)
CANADA = TaxRate(id=3, country="CA", name="GST", bps=500, has_reverse_charge=False)


@pytest.mark.parametrize(
    ("country", "tax_id", "bps", "reverse", "words"),
    [
        ("DE", "", 1_900, False, ""),
        # The seller's own country: a tax id changes nothing.
        ("DE", "DE123456789", 1_900, False, ""),
        ("FR", "", 2_000, False, ""),
        ("FR", "FR12345678901", 0, True, "Reverse charge"),
        ("FR", "   ", 2_000, False, ""),
        ("CA", "123", 500, False, ""),
        ("US", "", 0, False, "No tax is due"),
        (None, "", 0, False, "No country"),
    ],
)
def test_the_customers_country_and_tax_id_decide(
    country: str | None, tax_id: str, bps: int, reverse: bool, words: str
) -> None:
    found = decide_tax(country, tax_id, "DE", [GERMANY, FRANCE, CANADA])
    assert (found.bps, found.has_reverse_charge) == (bps, reverse)
    assert words in found.reason
    assert found.to_json()["bps"] == bps


@pytest.mark.parametrize(
    ("net", "bps", "currency", "tax"),
    [
        (1_000, 1_900, "EUR", 190),
        (1_050, 1_000, "EUR", 105),
        (105, 1_000, "EUR", 11),
        (1_010, 500, "KWD", 50),
        (1_100, 500, "KWD", 60),
        (12_340, 1_000, "BHD", 1_230),
        (199_900, 2_400, "ISK", 48_000),
        (105_000, 1_850, "UGX", 19_400),
        (500, 1_000, "JPY", 50),
        (0, 1_900, "ISK", 0),
    ],
)
def test_tax_is_in_steps_that_can_be_charged(net: int, bps: int, currency: str, tax: int) -> None:
    assert tax_of(net, bps, currency) == tax
