"""The policy in force, now or at any moment before."""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from flask import g, has_app_context
from sqlalchemy import select

from marketplace.core import clock
from marketplace.core.database import db
from marketplace.program.policy.document import Policy
from marketplace.program.policy.models import PolicyState, PolicyVersion


@dataclass(frozen=True)
class LivePolicy:
    """A published version in force. `number` is the version's; 0: there is none yet."""

    id: int
    number: int
    effective_at: datetime
    policy: Policy


def live_policy(at: datetime | None = None) -> LivePolicy | None:
    """The version in force at a moment (now), None before the first: one query, and one parsed
    document for each version and process."""
    row = db.session.execute(
        select(
            PolicyVersion.id, PolicyVersion.number, PolicyVersion.effective_at, PolicyVersion.digest
        )
        .where(
            PolicyVersion.state == PolicyState.PUBLISHED,
            PolicyVersion.effective_at <= (at or clock.now()),
        )
        .order_by(PolicyVersion.effective_at.desc(), PolicyVersion.number.desc())
        .limit(1)
    ).first()
    if row is None:
        return None
    version_id, number, effective_at, digest = row
    if number is None or effective_at is None:  # drafts alone have neither
        raise ValueError("a published policy has a number and a date")
    return LivePolicy(version_id, number, effective_at, _parsed(version_id, digest))


def current_policy() -> LivePolicy | None:
    """The version in force now, asked once for each request or job."""
    if not has_app_context():
        return live_policy()
    if "portico_live_policy" not in g:
        g.portico_live_policy = live_policy()
    found: LivePolicy | None = g.portico_live_policy
    return found


def forget_current_policy() -> None:
    """After publishing: the next `current_policy` asks again."""
    if has_app_context():
        g.pop("portico_live_policy", None)


@lru_cache(maxsize=64)
def _parsed(version_id: int, digest: str) -> Policy:
    document = db.session.scalar(
        select(PolicyVersion.document).where(
            PolicyVersion.id == version_id, PolicyVersion.digest == digest
        )
    )
    return Policy.model_validate(document)
