"""The organization's people and what they hold."""

from flask import render_template, request
from flask.typing import ResponseReturnValue

from marketplace.accreditation.credentials import queries
from marketplace.accreditation.credentials.addresses import credential_url
from marketplace.accreditation.credentials.models import Credential, CredentialState
from marketplace.accreditation.credentials.views.blueprints import credentials
from marketplace.core import clock
from marketplace.core.csv_export import csv_response
from marketplace.core.pagination import page_number
from marketplace.core.permissions import current_actor, needs

CSV_HEAD = ("credential", "holder", "state", "issued", "expires", "address")


@credentials.get("/partner/credentials")
@needs("credentials.see")
def index() -> ResponseReturnValue:
    """What the organization and its people hold."""
    organization_id = current_actor().organization_id or 0
    state, words = request.args.get("state", ""), request.args.get("q", "")[:100]
    query = queries.credentials_query(organization_id=organization_id, state=state, words=words)
    return render_template(
        "credentials/index.html",
        page=queries.page_of_credentials(query, page_number(request.args.get("page"))),
        states=CredentialState,
        shown=state if state in set(CredentialState) else "",
        words=words,
        members=queries.member_ids(organization_id),
        people=queries.people_with_valid(organization_id),
    )


@credentials.get("/partner/credentials.csv")
@needs("credentials.see")
def export() -> ResponseReturnValue:
    """The same as a file."""
    query = queries.credentials_query(
        organization_id=current_actor().organization_id or 0,
        state=request.args.get("state", ""),
        words=request.args.get("q", "")[:100],
    )
    rows = [csv_row(row) for row in queries.rows_of(query)]
    return csv_response(f"credentials-{clock.now():%Y-%m-%d}.csv", CSV_HEAD, rows)


def csv_row(row: Credential) -> tuple[object, ...]:
    """One line of the file."""
    return (
        row.title,
        row.recipient_name,
        row.state.value,
        row.issued_at,
        row.expires_at,
        credential_url(row.public_id),
    )
