"""Probing every five minutes, and telling of incidents."""

import time
from datetime import timedelta

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.jobs import Payload, enqueue, job_handler, periodic
from marketplace.core.unit_of_work import unit_of_work
from marketplace.installs.health import mails, queries
from marketplace.installs.health.probes import probe_all
from marketplace.installs.health.services import TELL, forget_unwatched, record_probes
from marketplace.installs.health.uptime import PROBE_EVERY, Turn

PROBE = "health.probe"
BATCH = 64
# A run ends before the next begins; whoever was not probed is first then.
MOST_SECONDS = 240.0
ORGANIZATIONS_A_JOB = 100


@periodic(PROBE, PROBE_EVERY, lease=timedelta(minutes=10))
def probe_apps(_payload: Payload) -> None:
    """Probe every app that has a status address.

    In batches that are committed one by one: no transaction is open while addresses are asked,
    and none is long.
    """
    with unit_of_work():
        forget_unwatched()
    started = time.monotonic()
    not_since = clock.now() - PROBE_EVERY + timedelta(minutes=1)
    while time.monotonic() - started < MOST_SECONDS:
        targets = queries.due_targets(BATCH, not_since=not_since)
        db.session.rollback()
        if not targets:
            return
        found = probe_all(targets)
        with unit_of_work():
            record_probes(found)


@job_handler(TELL)
def tell(payload: Payload) -> None:
    """Tell a batch of organizations, and leave the rest to the next job: one transaction each,
    so that nobody is told twice."""
    incident = queries.find_incident(payload["incident_id"])
    if incident is None:
        return
    turn = Turn(payload["turn"])
    after = int(payload["after"])
    if after == 0:
        mails.tell_publisher(incident, turn)
    installations = queries.installed_when(incident, after=after, limit=ORGANIZATIONS_A_JOB)
    managers = queries.managers_of([row.organization_id for row in installations])
    for installation in installations:
        addresses = managers.get(installation.organization_id, [])
        mails.tell_installer(incident, turn, installation, addresses)
    if len(installations) == ORGANIZATIONS_A_JOB:
        enqueue(TELL, {**payload, "after": installations[-1].id})
