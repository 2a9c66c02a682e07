"""camt.053, as banks write it and as attackers do."""

from datetime import date

import pytest

from billing.bank_files.camt053 import looks_like_camt, read_camt053
from billing.bank_files.rows import BankFileError

HEAD = '<?xml version="1.0"?><Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08">'


def entry(
    amount: str, side: str, *, status: str = "<Sts><Cd>BOOK</Cd></Sts>", more: str = ""
) -> str:
    return (
        f'<Ntry><Amt Ccy="EUR">{amount}</Amt><CdtDbtInd>{side}</CdtDbtInd>{status}'
        f"<BookgDt><Dt>2026-10-30</Dt></BookgDt><AcctSvcrRef>B1</AcctSvcrRef>{more}</Ntry>"
    )


def balance(code: str, amount: str, side: str = "CRDT") -> str:
    return (
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>"
        f'<Amt Ccy="EUR">{amount}</Amt><CdtDbtInd>{side}</CdtDbtInd></Bal>'
    )


DETAILS = (
    "<NtryDtls><TxDtls><Refs><EndToEndId>PO-TRACE-1</EndToEndId></Refs>"
    "<RltdPties><Dbtr><Pty><Nm>Stripe Payments</Nm></Pty></Dbtr></RltdPties>"
    "<RmtInf><Ustrd>STRIPE 123</Ustrd></RmtInf></TxDtls></NtryDtls>"
)


def statement(*parts: str, account: str = "DE0212") -> str:
    return (
        "<Stmt><FrToDt><FrDtTm>2026-10-01T00:00:00</FrDtTm><ToDtTm>2026-10-31T23:59:59</ToDtTm>"
        f"</FrToDt><Acct><Id><IBAN>{account}</IBAN></Id></Acct>{''.join(parts)}</Stmt>"
    )


def document(*statements: str) -> bytes:
    return f"{HEAD}<BkToCstmrStmt>{''.join(statements)}</BkToCstmrStmt></Document>".encode()


def test_a_statement_with_balances_and_details() -> None:
    data = document(
        statement(
            balance("OPBD", "10.00", "DBIT"),
            balance("CLBD", "990.50"),
            entry("1000.50", "CRDT", more=DETAILS),
            entry("0.00", "DBIT", status="<Sts>PDNG</Sts>"),
        )
    )
    assert looks_like_camt(b"\xef\xbb\xbf" + data)
    found = read_camt053(data)
    assert (found.account, found.currency) == ("DE0212", "EUR")
    assert (found.opening_balance, found.closing_balance) == (-1_000, 99_050)
    assert (found.covers_from, found.covers_to) == (date(2026, 10, 1), date(2026, 10, 31))
    (row,) = found.rows
    assert (row.booked_on, row.amount) == (date(2026, 10, 30), 100_050)
    assert row.reference == "B1 PO-TRACE-1"
    assert row.text == "Stripe Payments STRIPE 123"


def test_several_days_of_one_account_are_one_file() -> None:
    first = statement(balance("OPBD", "0"), balance("CLBD", "1"), entry("1", "CRDT"))
    second = statement(balance("OPBD", "1"), balance("CLBD", "0"), entry("1", "DBIT"))
    found = read_camt053(document(first, second))
    assert [row.amount for row in found.rows] == [100, -100]
    assert (found.opening_balance, found.closing_balance) == (0, 0)


BOMB = (
    '<?xml version="1.0"?><!DOCTYPE d [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]>'
    "<Document><BkToCstmrStmt><Stmt>&b;</Stmt></BkToCstmrStmt></Document>"
)
OUTSIDE = (
    '<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    "<Document><BkToCstmrStmt><Stmt>&x;</Stmt></BkToCstmrStmt></Document>"
)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (BOMB.encode(), "declares entities"),
        (OUTSIDE.encode(), "declares entities"),
        (b"<html></html>", "holds no statement"),
        (b"<Document>", "well-formed"),
        (document(statement(), statement(entry("1", "CRDT"))), "names no currency"),
        (
            document(statement(entry("1", "CRDT")), statement(entry("1", "CRDT"), account="X")),
            "several accounts",
        ),
        (document(statement(entry("1.234", "CRDT"))), "no amount in EUR"),
        (document(statement(entry("NaN", "CRDT"))), "no amount"),
        (document(statement(entry("1", "CRDT"))).replace(b'"EUR"', b'"ZZZ"'), "no currency"),
        (document(statement(entry("1", "CRDT"))).replace(b"2026-10-30", b"someday"), "no date"),
    ],
)
def test_what_is_wrong_is_said(data: bytes, message: str) -> None:
    with pytest.raises(BankFileError, match=message):
        read_camt053(data)
