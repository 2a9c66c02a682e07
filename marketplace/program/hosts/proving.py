"""Proving a host by a TXT record: looked up in a job, outside of any transaction that matters."""

import logging
from collections.abc import Callable

from sqlalchemy import select

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.jobs import Payload, enqueue, job_handler
from marketplace.identity.models import Organization
from marketplace.program.hosts.models import HostState, MappedHost
from marketplace.program.hosts.services.mapping import activate, may_white_label

log = logging.getLogger(__name__)
JOB = "hosts.prove"
LABEL = "_host-challenge"

# Gives the TXT records of a name; raises when nobody answers.
Lookup = Callable[[str], list[str]]


class NoAnswerError(Exception):
    """The name servers did not answer: nothing is known."""


def _nobody(_name: str) -> list[str]:
    raise NoAnswerError


_lookups: list[Lookup] = [_nobody]


def look_up_txt_with(lookup: Lookup) -> None:
    """Tell who looks up TXT records. `lookup` raises NoAnswerError when nobody answers."""
    _lookups[:] = [lookup]


def record_name(host: str) -> str:
    """Where the record of a host stands."""
    return f"{LABEL}.{host}"


def look_later(row: MappedHost) -> None:
    """Look at the record soon; several clicks are one look."""
    enqueue(JOB, {"host": row.id}, dedupe_key=f"{JOB}:{row.id}")


@job_handler(JOB)
def _look(payload: Payload) -> None:
    row = db.session.scalar(select(MappedHost).where(MappedHost.id == payload["host"]))
    if row is None or row.proven_at is not None:
        return
    name = record_name(row.host)
    try:
        texts = [text.strip() for text in _lookups[0](name)]
    except NoAnswerError:
        row.check_result = "The name servers did not answer. Try again later."
    else:
        if row.challenge in texts and not _may_have(row):
            row.check_result = "Your type and tier no longer include a domain of your own."
        elif row.challenge in texts:
            row.check_result = f"Found the record at {name}."
            if row.state is HostState.PENDING:
                activate(row, proven_by="dns", by_user_id=None)
        elif texts:
            row.check_result = f"The TXT record at {name} says something else."
        else:
            row.check_result = f"There is no TXT record at {name}."
    row.checked_at = clock.now()
    db.session.flush()


def _may_have(row: MappedHost) -> bool:
    """Whether the partner still has the right that it asked by."""
    organization = db.session.get(Organization, row.organization_id or 0)
    return organization is None or may_white_label(organization)
