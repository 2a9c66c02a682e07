"""Reading a file of leads. Pure: bytes in, rows with their errors out."""

import codecs
import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from marketplace.pipeline.leads.fields import read_fields
from marketplace.pipeline.leads.normalizing import normal_email

MAX_BYTES = 512 * 1024
MAX_ROWS = 500
COLUMNS = (
    "name", "email", "company", "phone", "website", "country", "postal_code", "need",
    "budget", "time_frame",
)  # fmt: skip
# Other names that spreadsheets give them.
_ALSO = {
    "e-mail": "email", "mail": "email", "contact": "name", "full_name": "name",
    "organization": "company", "organisation": "company", "domain": "website", "url": "website",
    "zip": "postal_code", "postcode": "postal_code", "telephone": "phone", "description": "need",
    "notes": "need", "timeframe": "time_frame",
}  # fmt: skip
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))  # fmt: skip  # noqa: E501 - a table of three


class ImportFileError(ValueError):
    """The file cannot be read as a whole; the message is for people."""


@dataclass(frozen=True)
class ImportedRow:
    """A line of the file: what it says by field, and what is wrong by field."""

    line: int
    values: dict[str, str]
    errors: dict[str, str]


def read_file(data: bytes) -> list[ImportedRow]:
    """The rows of a CSV file of leads, as `read_table` reads it. An address that stands there
    twice is an error of the second row. Raises ImportFileError."""
    needed = ("name", "email", "company", "need")
    heads, body = read_table(data, needed=needed, also=_ALSO, most_rows=MAX_ROWS)
    return _checked(heads, body)


def read_table(
    data: bytes, *, needed: Sequence[str], also: Mapping[str, str], most_rows: int
) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """The columns of a CSV file, and its rows with their lines: UTF-8, UTF-16 with a mark, or
    Windows-1252; comma, semicolon or tab.

    The first line names the columns, in any order, `also` by other names; the `needed` ones must
    be there. Raises ImportFileError.
    """
    if len(data) > MAX_BYTES:
        raise ImportFileError(f"The file is larger than {MAX_BYTES // 1024} KB.")
    text = _decoded(data)
    if "\x00" in text:
        raise ImportFileError("This is no text file. Save it as CSV.")
    if not text.strip():
        raise ImportFileError("The file is empty.")
    first = text.lstrip("\r\n").splitlines()[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        rows = list(reader)
    except csv.Error:
        raise ImportFileError(
            "This cannot be read as CSV. Is there a quotation mark that does not end?"
        ) from None
    heads = [_column(cell, also) for cell in next((row for row in rows if any(row)), [])]
    missing = [name for name in needed if name not in heads]
    if missing:
        raise ImportFileError(f"The first line must name the columns. Missing: {missing[0]}.")
    body = [
        (number, row) for number, row in enumerate(rows, 1) if any(cell.strip() for cell in row)
    ][1:]
    if not body:
        raise ImportFileError("The file has no rows below its first line.")
    if len(body) > most_rows:
        raise ImportFileError(f"At most {most_rows} rows at once; this file has {len(body):,}.")
    return heads, body


def _checked(heads: list[str], body: list[tuple[int, list[str]]]) -> list[ImportedRow]:
    found: list[ImportedRow] = []
    seen: dict[str, int] = {}
    for number, row in body:
        values = {
            head: cell_text(cell) for head, cell in zip(heads, row, strict=False) if head in COLUMNS
        }
        fields, errors = read_fields(values, needs_company=True)
        if len(row) > len(heads):
            errors.setdefault("row", "It has more cells than the first line.")
        key = normal_email(fields.email)
        if "email" not in errors and key in seen:
            errors["email"] = f"The same address stands in line {seen[key]}."
        seen.setdefault(key, number)
        found.append(ImportedRow(number, {k: v[:4_000] for k, v in values.items()}, errors))
    return found


def cell_text(text: str) -> str:
    """A cell without the mark that exports put before a formula."""
    cleaned = text.strip()
    if len(cleaned) > 1 and cleaned[0] == "'" and cleaned[1] in "=+-@":
        return cleaned[1:]
    return cleaned


def _column(cell: str, also: Mapping[str, str]) -> str:
    name = cell.strip().strip("\ufeff").lower().replace(" ", "_")
    return also.get(name, name)


def _decoded(data: bytes) -> str:
    for mark, encoding in _BOMS:
        if data.startswith(mark):
            try:
                return data.decode(encoding)
            except UnicodeDecodeError:
                raise ImportFileError("The file is broken. Save it again as CSV.") from None
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")
