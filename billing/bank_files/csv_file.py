"""A bank's CSV: any separator, and columns found by their names in English, German or French."""

import csv
import io
import re
from collections.abc import Sequence
from datetime import date, datetime

from billing.bank_files.rows import MAX_LINES, BankFile, BankFileError, BankRow, clean, clean_text
from billing.money import CURRENCIES, decimals

# What banks call the columns; compared without case, spaces and signs.
_NAMES: dict[str, tuple[str, ...]] = {
    "date": ("date", "bookingdate", "bookeddate", "bookedon", "transactiondate", "posteddate",
             "valuedate", "buchungstag", "buchungsdatum", "datum", "dateoperation"),
    "amount": ("amount", "betrag", "umsatz", "montant", "value", "transactionamount"),
    "credit": ("credit", "moneyin", "paidin", "deposit", "haben", "gutschrift", "crédit"),
    "debit": ("debit", "moneyout", "paidout", "withdrawal", "soll", "lastschrift", "débit"),
    "currency": ("currency", "währung", "waehrung", "devise", "ccy"),
    "reference": ("reference", "ref", "endtoendid", "endtoendreference", "traceid", "transactionid",
                  "referenz", "kundenreferenz", "référence", "bankreference"),
    "text": ("description", "text", "details", "memo", "narrative", "purpose", "payee", "name",
             "verwendungszweck", "buchungstext", "libellé", "remittanceinformation",
             "counterparty"),
    "balance": ("balance", "runningbalance", "saldo", "solde"),
    "account": ("account", "iban", "accountnumber", "konto", "auftragskonto", "compte"),
}  # fmt: skip
# A day and a month, or the other way round, as they are written with slashes and dashes.
_EITHER_WAY = re.compile(r"(\d{1,2})[/-](\d{1,2})[/-](\d{4})(?!\d)", re.ASCII)
# Currency, sign, digits and which side, in the order in which banks write them.
_CURRENCY = r"(?:[A-Z]{3}|KR|ZŁ|FT|KČ|[^\W\d_]?[$€£¥₹])?"
_AMOUNT = re.compile(
    rf"(?P<open>\()?{_CURRENCY}(?P<before>[+-])?{_CURRENCY}(?P<digits>[\d.,]*\d[\d.,]*?)"
    rf"(?P<after>[+-])?{_CURRENCY}(?P<close>\))?(?P<side>CR|DR|H|S)?",
    re.ASCII,
)
_DECIMALS = re.compile(r"(?P<whole>[\d.,]*)(?P<point>[.,])(?P<part>\d+)", re.ASCII)
_GROUPED = re.compile(r"\d{1,3}(?P<by>[.,])\d{3}(?:(?P=by)\d{3})*", re.ASCII)
MOST = 10**15
_DATES = ("%Y-%m-%d", "%d.%m.%Y", "%d.%m.%y", "%Y/%m/%d", "%Y%m%d")


def read_csv(data: bytes, *, currency: str, account: str = "") -> BankFile:
    """The bookings of a CSV file. `currency` counts where the file names none.

    Raises BankFileError that names the line.
    """
    lines = _decoded(data).splitlines()
    start = _header_line(lines)
    found = _read_lines(lines[start:], start)
    found_currency, found_account, balances = "", account, []
    dates, signs = _DateReader(), _Signs()
    for number, cell in found:
        named = cell.get("currency", "").strip().upper() or currency
        if named not in CURRENCIES:
            raise BankFileError(f"Line {number}: {named[:10]!r} is no currency.")
        if found_currency and named != found_currency:
            raise BankFileError(
                f"Line {number} is in {named}, the lines before it in {found_currency}. "
                "Import one file for each currency."
            )
        found_currency = named
        found_account = found_account or clean(cell.get("account"), 60)
        dates.see(cell["date"], number)
        signs.see(cell, named, number)
        balances.append(cell.get("balance", ""))
    rows = [
        BankRow(
            booked_on=dates.day_of(cell["date"], number),
            amount=signs.amount_of(cell, found_currency, number),
            reference=clean_text(cell.get("reference"), 140),
            text=clean_text(cell.get("text"), 500),
        )
        for number, cell in found
    ]
    if not rows:
        raise BankFileError("The file has no lines below its head.")
    opening, closing = _balances(rows, balances, found_currency)
    days = [row.booked_on for row in rows]
    return BankFile(
        file_format="csv",
        account=found_account,
        currency=found_currency,
        rows=tuple(rows),
        opening_balance=opening,
        closing_balance=closing,
        covers_from=min(days),
        covers_to=max(days),
    )


def _read_lines(lines: Sequence[str], start: int) -> list[tuple[int, dict[str, str]]]:
    """Number and cells of each line below the head. Raises BankFileError."""
    reader = csv.reader(io.StringIO("\n".join(lines)), delimiter=_delimiter(lines[0]))
    found: list[tuple[int, dict[str, str]]] = []
    try:
        columns = _columns(next(reader))
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if len(found) >= MAX_LINES:
                raise BankFileError(f"At most {MAX_LINES:,} lines in one file.")
            found.append((start + reader.line_num, _cells(columns, cells)))
    except csv.Error as error:
        number = start + reader.line_num
        raise BankFileError(
            f"Line {number} cannot be read: {error}. Perhaps a quotation mark is missing."
        ) from error
    return found


def _decoded(data: bytes) -> str:
    if b"\x00" in data:
        raise BankFileError("This is no text file. Export CSV or camt.053 from your bank.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def _header_line(lines: Sequence[str]) -> int:
    """Banks write a few lines about the account above the head."""
    for number, line in enumerate(lines[:30]):
        names = {_plain(name) for name in re.split(r"[;,\t|]", line)}
        has_amount = names & {*_NAMES["amount"], *_NAMES["credit"], *_NAMES["debit"]}
        if has_amount and names & set(_NAMES["date"]):
            return number
    raise BankFileError("No line names the columns. A date and an amount are needed.")


def _delimiter(head: str) -> str:
    return max(";,\t|", key=head.count)


def _plain(name: str) -> str:
    return re.sub(r"[\W_]", "", name.casefold())


def _columns(head: Sequence[str]) -> dict[str, list[int]]:
    """Which columns are what; a text may be spread over several."""
    columns: dict[str, list[int]] = {}
    for place, name in enumerate(head):
        for what, names in _NAMES.items():
            if _plain(name) in names:
                columns.setdefault(what, []).append(place)
    return columns


def _cells(columns: dict[str, list[int]], cells: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for what, places in columns.items():
        values = [cells[place].strip() for place in places if place < len(cells)]
        values = [value for value in values if value]
        found[what] = " ".join(values) if what == "text" else (values[0] if values else "")
    found.setdefault("date", "")
    return found


class _DateReader:
    """Reads the dates of one file. 03/04/2026 is April in one country and March in another: a day
    above 12 anywhere in the file says which it is."""

    def __init__(self) -> None:
        self._day_first: bool | None = None
        self._unclear: tuple[int, str] | None = None

    def see(self, text: str, number: int) -> None:
        """Look at a date of the file before any is read. Raises BankFileError."""
        match = _EITHER_WAY.match(text.strip())
        if match is None:
            return
        first, second = int(match[1]), int(match[2])
        if first > 12 or second > 12:
            if self._day_first not in {None, first > 12} or (first > 12 and second > 12):
                raise BankFileError(f"Line {number}: {text[:20]!r} is no date like 2026-10-31.")
            self._day_first = first > 12
        elif first != second and self._unclear is None:
            self._unclear = (number, text)

    def day_of(self, text: str, number: int) -> date:
        """The day that a text means. Raises BankFileError."""
        text = text.strip()
        if match := _EITHER_WAY.match(text):
            if self._day_first is None and self._unclear is not None:
                line, unclear = self._unclear
                raise BankFileError(
                    f"Line {line}: {unclear[:20]!r} may mean two days, and no line says which. "
                    "Export dates like 2026-10-31."
                )
            parts = (match[1], match[2])
            day, month = parts if self._day_first is not False else parts[::-1]
            text = f"{match[3]}-{month}-{day}"
        for pattern in _DATES:
            try:
                return datetime.strptime(text[:10], pattern).date()  # noqa: DTZ007 - a bank's day
            except ValueError:
                continue
        raise BankFileError(f"Line {number}: {text[:20]!r} is no date like 2026-10-31.")


class _Signs:
    """Reads the amounts of one file. Banks write what went out into a column of its own, most
    without a sign; where any of it is above zero, one below zero was taken back."""

    def __init__(self) -> None:
        self._debits_are_unsigned = False

    def see(self, cell: dict[str, str], currency: str, number: int) -> None:
        """Look at a line before any is read. Raises BankFileError."""
        if not cell.get("amount") and cell.get("debit"):
            self._debits_are_unsigned |= minor_units(cell["debit"], currency, number) > 0

    def amount_of(self, cell: dict[str, str], currency: str, number: int) -> int:
        """What a line moved, in minor units; in is above zero. Raises BankFileError."""
        if cell.get("amount"):
            return minor_units(cell["amount"], currency, number)
        if not cell.get("credit") and not cell.get("debit"):
            raise BankFileError(f"Line {number} has no amount.")
        came = minor_units(cell.get("credit") or "0", currency, number)
        went = minor_units(cell.get("debit") or "0", currency, number)
        return came - went if self._debits_are_unsigned else came + went


def minor_units(text: str, currency: str, number: int) -> int:
    """An amount as banks write it, with a comma or a point, in minor units.

    Below zero by a sign before or after it, parentheses, or DR (S, Soll) after it; CR (H, Haben)
    says that it is above. Raises BankFileError for what is no amount, and for what may be two.
    """
    refused = BankFileError(f"Line {number}: {text[:20]!r} is no amount in {currency}.")
    compact = re.sub(r"[\s'’]", "", text.replace("−", "-").upper())
    match = _AMOUNT.fullmatch(compact)
    if match is None or set(re.findall(r"[A-Z]{3}", compact)) - {currency}:
        raise refused
    minus = [match["before"] == "-", match["after"] == "-", bool(match["open"])]
    if sum(minus) > 1 or bool(match["open"]) != bool(match["close"]):
        raise refused
    side = match["side"] or ""
    if side in {"CR", "H"} and any(minus):
        raise refused
    minor = _minor_units_of(match["digits"], decimals(currency))
    if minor is None:
        raise refused
    if minor < 0:
        raise BankFileError(
            f"Line {number}: {text[:20]!r} may mean two amounts. Export amounts with "
            f"{decimals(currency)} decimals."
        )
    return -minor if any(minus) or side in {"DR", "S"} else minor


def _minor_units_of(digits: str, places: int) -> int | None:
    """Minor units of digits with separators; None for no amount, below zero for an unclear one."""
    whole, part = digits, ""
    if match := _DECIMALS.fullmatch(digits):
        whole, point, part = match["whole"], match["point"], match["part"]
        is_group = bool(_GROUPED.fullmatch(digits)) and whole != "0"
        is_alone = not re.search(r"[.,]", whole)
        if is_group and is_alone and places in {1, 2}:
            # One separator before three digits: thousands in one country, decimals in another.
            return -1
        if point in whole or (is_group and places == 0):
            whole, part = digits, ""
    if not whole.isdigit() and whole and not _GROUPED.fullmatch(whole):
        return None
    if len(part.rstrip("0")) > places:
        return None
    number = int((re.sub(r"[.,]", "", whole) or "0") + part.rstrip("0").ljust(places, "0"))
    return number if number <= MOST else None


def _balances(
    rows: Sequence[BankRow], balances: Sequence[str], currency: str
) -> tuple[int | None, int | None]:
    """Opening and closing, from a running balance in time's order, either way round."""
    if not all(balances):
        return None, None
    running = [minor_units(text, currency, 0) for text in balances]
    forward = all(running[n] == running[n - 1] + rows[n].amount for n in range(1, len(rows)))
    backward = all(running[n - 1] == running[n] + rows[n - 1].amount for n in range(1, len(rows)))
    if backward and not forward:
        return running[-1] - rows[-1].amount, running[0]
    return running[0] - rows[0].amount, running[-1]
