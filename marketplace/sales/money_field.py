"""Form fields of amounts and rates: typed as people do, kept as minor units and basis points."""

from decimal import Decimal, InvalidOperation
from typing import Any

from wtforms import StringField
from wtforms.validators import ValidationError

from billing.formatting import AmountError, format_bps, parse_amount, plain_amount
from billing.money import CURRENCIES, MAX_AMOUNT


class MoneyField(StringField):  # type: ignore[misc]  # wtforms has no types
    """An amount in minor units of the currency in the form's field named `currency_from`.

    `data` is an int, or None when nothing was typed. What was typed stays in the field. `most` is
    what can be charged at once; say more where nothing is charged.
    """

    data: int | None

    def __init__(
        self,
        label: str,
        validators: Any = (),
        *,
        currency_from: str = "currency",
        most: int = MAX_AMOUNT,
        **options: Any,
    ) -> None:
        super().__init__(label, validators, **options)
        self._currency_from = currency_from
        self._most = most
        self._typed: str | None = None

    def process_formdata(self, valuelist: list[str]) -> None:
        """Keep what was typed; it is read once the currency is known (pre_validate)."""
        if valuelist:
            self._typed = valuelist[0]
            self.data = None

    def pre_validate(self, form: Any) -> None:
        """Read the amount. Raises ValidationError with what is wrong."""
        if not self._typed or not self._typed.strip():
            return
        currency = str(form[self._currency_from].data or "").upper()
        if currency not in CURRENCIES:
            raise ValidationError("Choose a currency first.")
        try:
            self.data = parse_amount(self._typed, currency, most=self._most)
        except AmountError as error:
            raise ValidationError(str(error)) from None

    def value_for(self, currency: str) -> str:
        """What stands in the field."""
        if self._typed is not None:
            return self._typed
        return "" if self.data is None else plain_amount(self.data, currency)

    def show_in(self, currency: str) -> None:
        """Show the amount in `data`, which came from the database, in its currency."""
        if self._typed is None and self.data is not None:
            self._typed = plain_amount(self.data, currency)

    def _value(self) -> str:
        return self._typed if self._typed is not None else ""


class PercentField(StringField):  # type: ignore[misc]  # wtforms has no types
    """A rate typed as a percentage with at most two decimals; `data` is basis points or None."""

    data: int | None

    def __init__(
        self, label: str, validators: Any = (), *, most_bps: int = 10_000, **options: Any
    ) -> None:
        super().__init__(label, validators, **options)
        self._most = most_bps
        self._typed: str | None = None

    def process_formdata(self, valuelist: list[str]) -> None:
        """Read the rate. Raises ValueError with what is wrong, which the form shows."""
        if not valuelist:
            return
        self._typed = valuelist[0]
        self.data = None
        text = self._typed.strip().removesuffix("%").strip().replace(",", ".")
        if not text:
            return
        try:
            bps = Decimal(text) * 100
        except InvalidOperation:
            raise ValueError("Type a percentage like 12.5.") from None
        if "e" in text.lower():
            raise ValueError("Type a percentage like 12.5.")
        if not bps.is_finite() or bps < 0 or bps > self._most:
            raise ValueError(f"From 0% to {format_bps(self._most)}.")
        if bps != bps.to_integral_value():
            raise ValueError("At most two decimals.")
        self.data = int(bps)

    def _value(self) -> str:
        if self._typed is not None:
            return self._typed
        return "" if self.data is None else format_bps(self.data).removesuffix("%")
