"""What a bank's file says, whatever its format."""

from dataclasses import dataclass, field
from datetime import date

from marketplace.core.card_numbers import mask_card_numbers


class BankFileError(ValueError):
    """The file cannot be read; the message tells a person what is wrong and where."""


# A statement of a year with many bookings a day is far below these.
MAX_BYTES = 8 * 1024 * 1024
MAX_LINES = 50_000


@dataclass(frozen=True)
class BankRow:
    """One booking, signed: money in is above 0. Minor units of the file's currency."""

    booked_on: date
    amount: int
    reference: str = ""
    text: str = ""


@dataclass(frozen=True)
class BankFile:
    """One statement of one account in one currency. Balances are signed, None where not told."""

    file_format: str
    account: str
    currency: str
    rows: tuple[BankRow, ...] = field(default=())
    opening_balance: int | None = None
    closing_balance: int | None = None
    covers_from: date | None = None
    covers_to: date | None = None


def clean_text(text: str | None, most: int) -> str:
    """`clean`, with card numbers masked: customers write them into references."""
    return mask_card_numbers(clean(text, 2_000))[:most]


def clean(text: str | None, most: int) -> str:
    """One line of text without control characters, at most `most` characters."""
    joined = " ".join((text or "").split())
    return "".join(each for each in joined if each.isprintable())[:most]
