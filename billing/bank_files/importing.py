"""Taking a bank's file in: the same file twice is one import, the same line twice one line."""

import hashlib
from collections import Counter
from collections.abc import Sequence
from datetime import date

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from billing.bank_files.camt053 import looks_like_camt, read_camt053
from billing.bank_files.csv_file import read_csv
from billing.bank_files.rows import MAX_BYTES, BankFile, BankFileError
from billing.models import BankImport, BankLine
from billing.reconciliation.bank_matching import match_bank
from billing.reconciliation.bank_rules import apply_rules
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.facts import record_fact

BATCH = 500


def read_bank_file(data: bytes, *, currency: str, account: str = "") -> BankFile:
    """The file's bookings, whatever its format. Raises BankFileError."""
    if not data.strip():
        raise BankFileError("The file is empty.")
    if len(data) > MAX_BYTES:
        raise BankFileError(f"The file is larger than {MAX_BYTES // 1024 // 1024} MB.")
    if looks_like_camt(data):
        found = read_camt053(data)
    else:
        found = read_csv(data, currency=currency, account=account)
    _refuse_strange_days(found)
    return found


def _refuse_strange_days(found: BankFile) -> None:
    """A day of another century is a fault of the file, and would stand in the books for ever."""
    first, last = date(2000, 1, 1), date(clock.now().year + 1, 12, 31)
    days = [*(row.booked_on for row in found.rows), found.covers_from, found.covers_to]
    for day in days:
        if day is not None and not first <= day <= last:
            raise BankFileError(f"{day} is no day of a booking: from {first} to {last}.")


def import_bank_file(
    data: bytes, file_name: str, *, currency: str, account: str = "", by_user_id: int | None = None
) -> tuple[BankImport, bool]:
    """Keep the file's lines, match them, and set aside what the standing rules say; the import,
    and whether it is new.

    `currency` and `account` count where the file names none. Raises BankFileError.
    """
    digest = hashlib.sha256(data).hexdigest()
    before = db.session.scalar(select(BankImport).where(BankImport.sha256 == digest))
    if before is not None:
        return before, False
    found = read_bank_file(data, currency=currency, account=account)
    made = BankImport(
        file_name=file_name[:200] or "statement",
        file_format=found.file_format,
        sha256=digest,
        account=found.account,
        currency=found.currency,
        opening_balance=found.opening_balance,
        closing_balance=found.closing_balance,
        covers_from=found.covers_from,
        covers_to=found.covers_to,
        imported_by_id=by_user_id,
        imported_at=clock.now(),
    )
    db.session.add(made)
    db.session.flush()
    made.lines_new, made.lines_known = _keep(made, found)
    record_fact(
        "bank_file.imported",
        subject=("bank_import", made.id),
        actor_user_id=by_user_id,
        data={"format": found.file_format, "new": made.lines_new, "known": made.lines_known},
    )
    db.session.flush()
    match_bank()
    apply_rules(made)
    return made, True


def line_hashes(found: BankFile) -> Sequence[str]:
    """A name for each line that is the same in every file that holds it: account, day, amount
    and reference, and its place among lines that are alike in all of these."""
    seen: Counter[tuple[str, ...]] = Counter()
    hashes = []
    for row in found.rows:
        alike = (
            found.account, found.currency, row.booked_on.isoformat(), str(row.amount),
            row.reference, row.text if not row.reference else "",
        )  # fmt: skip
        seen[alike] += 1
        named = "\x1f".join((*alike, str(seen[alike])))
        hashes.append(hashlib.sha256(named.encode()).hexdigest())
    return hashes


def _keep(made: BankImport, found: BankFile) -> tuple[int, int]:
    """Write the lines that are new; how many, and how many were known."""
    rows = [
        {
            "import_id": made.id,
            "hash": digest,
            "booked_on": row.booked_on,
            "amount": row.amount,
            "currency": found.currency,
            "reference": row.reference,
            "text": row.text,
            "ignored_reason": "",
        }
        for row, digest in zip(found.rows, line_hashes(found), strict=True)
        if row.amount
    ]
    dialect = db.session.get_bind().dialect.name
    insert = postgresql_insert if dialect == "postgresql" else sqlite_insert
    new = 0
    for start in range(0, len(rows), BATCH):
        written = db.session.execute(
            insert(BankLine)
            .values(rows[start : start + BATCH])
            .on_conflict_do_nothing(index_elements=["hash"])
            .returning(BankLine.id)
        )
        new += len(written.all())
    return new, len(rows) - new
