"""Reading a file of deals: bytes in, rows with their errors out. Nothing is registered."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date

from billing.formatting import AmountError, parse_amount
from billing.money import CURRENCIES
from marketplace.core.errors import InvalidError
from marketplace.identity.models import Organization
from marketplace.pipeline.deals.terms import MOST_WORTH, DealTerms, check_terms
from marketplace.pipeline.leads.importing import ImportedRow, cell_text, read_table
from marketplace.pipeline.leads.normalizing import normal_domain

MAX_ROWS = 200
COLUMNS = (
    "title",
    "customer",
    "domain",
    "product",
    "amount",
    "currency",
    "close_on",
    "description",
)
NEEDED = ("title", "customer", "domain", "product", "amount", "currency")
# Other names that spreadsheets give them.
_ALSO = {
    "name": "title", "deal": "title", "company": "customer", "customer_name": "customer",
    "account": "customer", "website": "domain", "url": "domain", "customer_domain": "domain",
    "listing": "product", "value": "amount", "worth": "amount", "close_date": "close_on",
    "closes": "close_on", "notes": "description",
}  # fmt: skip
# What the service calls a column.
_COLUMN_OF = {"customer_name": "customer", "customer": "domain"}

# The id of the listing that was named by its address or exact name, or None.
FindListing = Callable[[str], int | None]


def read_file(
    data: bytes, *, organization: Organization, find_listing: FindListing
) -> list[ImportedRow]:
    """The rows of a CSV file with what is wrong in each. The same customer and product twice is an
    error of the second row. Raises ImportFileError."""
    heads, body = read_table(data, needed=NEEDED, also=_ALSO, most_rows=MAX_ROWS)
    found: list[ImportedRow] = []
    seen: dict[tuple[str, str], int] = {}
    for number, row in body:
        values = {
            head: cell_text(cell)[:4_000]
            for head, cell in zip(heads, row, strict=False)
            if head in COLUMNS
        }
        _terms, errors = terms_of(values, organization, find_listing)
        if len(row) > len(heads):
            errors.setdefault("row", "It has more cells than the first line.")
        key = (normal_domain(values.get("domain", "")[:2_000]), values.get("product", "").lower())
        if not errors and key in seen:
            errors["domain"] = f"The same customer and product stand in line {seen[key]}."
        seen.setdefault(key, number)
        found.append(ImportedRow(number, values, errors))
    return found


def terms_of(
    values: Mapping[str, str], organization: Organization, find_listing: FindListing
) -> tuple[DealTerms, dict[str, str]]:
    """What a row registers, and what is wrong with it by column."""
    errors: dict[str, str] = {}
    currency = values.get("currency", "").upper()
    amount: int | None = None
    if currency in CURRENCIES and values.get("amount"):
        try:
            amount = parse_amount(values["amount"], currency, most=MOST_WORTH)
        except AmountError as error:
            errors["amount"] = str(error)
    close_on: date | None = None
    if values.get("close_on"):
        try:
            close_on = date.fromisoformat(values["close_on"])
        except ValueError:
            errors["close_on"] = "Write the day like 2027-03-31."
    product = values.get("product", "")
    terms = DealTerms(
        title=values.get("title", ""),
        customer_name=values.get("customer", ""),
        customer=values.get("domain", ""),
        amount=amount,
        currency=currency,
        product=product,
        close_on=close_on,
        description=values.get("description", ""),
    )
    listing_id = find_listing(product) if product else None
    if listing_id is not None:
        terms = replace(terms, listing_id=listing_id, product="")
    try:
        check_terms(terms, organization)
    except InvalidError as error:
        for name, text in error.fields.items():
            errors.setdefault(_COLUMN_OF.get(name, name), text)
    return terms, errors
