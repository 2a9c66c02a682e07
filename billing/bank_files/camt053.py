"""camt.053, the ISO 20022 statement (BankToCustomerStatement), every version of it.

Read by stream with defusedxml: no entities, no DTD, nothing fetched. Message definitions:
https://www.iso20022.org/iso-20022-message-definitions (camt.053.001.*).
"""

import io
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import iterparse

from billing.bank_files.rows import MAX_LINES, BankFile, BankFileError, BankRow, clean, clean_text
from billing.money import CURRENCIES, decimals

_OPENING, _CLOSING = ("OPBD", "PRCD"), ("CLBD",)


def looks_like_camt(data: bytes) -> bool:
    """Whether the file is XML at all; what kind of XML, reading tells."""
    return data.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<")


def read_camt053(data: bytes) -> BankFile:
    """The one statement of a camt.053 file. Raises BankFileError."""
    try:
        statements = list(_statements(data))
    except DefusedXmlException as error:
        raise BankFileError("The file declares entities, which a bank's never does.") from error
    except ParseError as error:
        raise BankFileError(f"The file is no well-formed XML: {error}.") from error
    if not statements:
        raise BankFileError("The file holds no statement (camt.053).")
    if len({(each.account, each.currency) for each in statements}) > 1:
        raise BankFileError("The file holds several accounts. Import one file for each.")
    if len(statements) == 1:
        return statements[0]
    return _joined(statements)


def _joined(statements: list[BankFile]) -> BankFile:
    """Several statements of one account, usually days, in the order of the file."""
    first, last = statements[0], statements[-1]
    days = [each.covers_from for each in statements if each.covers_from]
    ends = [each.covers_to for each in statements if each.covers_to]
    return BankFile(
        file_format="camt.053",
        account=first.account,
        currency=first.currency,
        rows=tuple(row for each in statements for row in each.rows),
        opening_balance=first.opening_balance,
        closing_balance=last.closing_balance,
        covers_from=min(days, default=None),
        covers_to=max(ends, default=None),
    )


class _Statement:
    """What is known of the statement that is being read."""

    def __init__(self) -> None:
        self.rows: list[BankRow] = []
        self.balances: dict[str, tuple[int, str]] = {}
        self.account = ""
        self.currency = ""
        self.days: list[date | None] = [None, None]

    def finished(self) -> BankFile:
        if not self.currency:
            raise BankFileError("The statement names no currency.")
        dates = [row.booked_on for row in self.rows]
        return BankFile(
            file_format="camt.053",
            account=self.account,
            currency=self.currency,
            rows=tuple(self.rows),
            opening_balance=self._balance(_OPENING),
            closing_balance=self._balance(_CLOSING),
            covers_from=self.days[0] or min(dates, default=None),
            covers_to=self.days[1] or max(dates, default=None),
        )

    def _balance(self, codes: tuple[str, ...]) -> int | None:
        return next((self.balances[code][0] for code in codes if code in self.balances), None)

    def is_in(self, currency: str) -> None:
        """Every amount of a statement is in the account's currency."""
        if currency not in CURRENCIES:
            raise BankFileError(f"{currency[:10]!r} is no currency.")
        if self.currency and currency != self.currency:
            raise BankFileError(f"The statement mixes {self.currency} and {currency}.")
        self.currency = currency


def _statements(data: bytes) -> Iterator[BankFile]:
    current = _Statement()
    inside = False
    is_camt = False
    for kind, element in iterparse(io.BytesIO(data), events=("start", "end"), forbid_dtd=True):
        name = _name(element)
        if kind == "start":
            if name == "BkToCstmrStmt":
                is_camt = True
            elif name == "Stmt" and is_camt:
                current, inside = _Statement(), True
            continue
        if not inside:
            continue
        if name == "Acct":
            current.account = current.account or _account(element)
        elif name == "FrToDt":
            current.days = [_day(element, "FrDtTm"), _day(element, "ToDtTm")]
        elif name == "Bal":
            _take_balance(current, element)
            element.clear()
        elif name == "Ntry":
            _take_entry(current, element)
            # What is read is let go: a year's file stays small in memory.
            element.clear()
        elif name == "Stmt":
            yield current.finished()
            inside = False
            element.clear()


def _take_balance(statement: _Statement, element: Element) -> None:
    code = _text(element, "Tp", "CdOrPrtry", "Cd")
    if code not in {*_OPENING, *_CLOSING} or code in statement.balances:
        return
    statement.balances[code] = (_amount(statement, element), code)


def _take_entry(statement: _Statement, element: Element) -> None:
    status = _text(element, "Sts", "Cd") or _text(element, "Sts")
    if status and status != "BOOK":
        return
    if len(statement.rows) >= MAX_LINES:
        raise BankFileError(f"At most {MAX_LINES:,} lines in one file.")
    amount = _amount(statement, element)
    booked_on = _date_of(element, "BookgDt") or _date_of(element, "ValDt")
    if booked_on is None:
        raise BankFileError(f"Entry {len(statement.rows) + 1} has no date.")
    found = list(element.iter())
    references = [
        each.text
        for each in found
        if _name(each) in {"EndToEndId", "AcctSvcrRef", "InstrId", "TxId"}
        and each.text
        and each.text.strip() not in {"", "NOTPROVIDED"}
    ]
    texts = [
        each.text or "" for each in found if _name(each) in {"Ustrd", "AddtlNtryInf", "AddtlTxInf"}
    ]
    names = [each.text or "" for each in found if _name(each) == "Nm"]
    statement.rows.append(
        BankRow(
            booked_on=booked_on,
            amount=amount,
            reference=clean_text(" ".join(dict.fromkeys(filter(None, references))), 140),
            text=clean_text(" ".join(dict.fromkeys([*names, *texts])), 500),
        )
    )


def _amount(statement: _Statement, element: Element) -> int:
    found = _child(element, "Amt")
    if found is None:
        raise BankFileError("An entry or balance has no amount.")
    currency = (found.get("Ccy") or "").upper()
    statement.is_in(currency)
    try:
        if "e" in (found.text or "").lower():
            raise InvalidOperation
        minor = Decimal((found.text or "").strip()).scaleb(decimals(currency))
    except InvalidOperation:
        raise BankFileError(f"{(found.text or '')[:20]!r} is no amount.") from None
    if not minor.is_finite() or minor != minor.to_integral_value() or abs(minor) > 10**15:
        raise BankFileError(f"{(found.text or '')[:20]!r} is no amount in {currency}.")
    return -int(minor) if _text(element, "CdtDbtInd") == "DBIT" else int(minor)


def _account(element: Element) -> str:
    return clean(_text(element, "Id", "IBAN") or _text(element, "Id", "Othr", "Id"), 60)


def _date_of(element: Element, name: str) -> date | None:
    found = _child(element, name)
    if found is None:
        return None
    return _day(found, "Dt") or _day(found, "DtTm")


def _day(element: Element, name: str) -> date | None:
    text = _text(element, name)
    if not text:
        return None
    try:
        return datetime.fromisoformat(text[:10]).date()
    except ValueError:
        raise BankFileError(f"{text[:20]!r} is no date.") from None


def _text(element: Element, *path: str) -> str:
    found: Element | None = element
    for name in path:
        found = _child(found, name) if found is not None else None
    return (found.text or "").strip() if found is not None else ""


def _child(element: Element, name: str) -> Element | None:
    return next((each for each in element if _name(each) == name), None)


def _name(element: Element) -> str:
    """Without its namespace, which differs between versions."""
    return str(element.tag).rpartition("}")[2]
