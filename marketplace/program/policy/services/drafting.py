"""Drafts of the policy: begun from a version or a template, saved part by part, given up."""

from typing import Any

from billing.public_ids import new_public_id
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.facts import record_fact
from marketplace.program.policy.document import Policy
from marketplace.program.policy.documents import DocumentError, read_policy
from marketplace.program.policy.models import PolicyState, PolicyVersion
from marketplace.program.policy.services.publishing import hold_draft

MAX_NAME = 120
MAX_NOTE = 2_000
CHANGED_MEANWHILE = (
    "Somebody else has changed this draft since you opened it. Look at what it says now, then make "
    "your change again."
)


def begin(
    policy: Policy,
    *,
    by_user_id: int | None,
    based_on: PolicyVersion | None = None,
    name: str = "",
    note: str = "",
) -> PolicyVersion:
    """A draft that says `policy`. Raises InvalidError (fields: name, note)."""
    checked = _described(name or policy.name, note)
    draft = PolicyVersion(
        public_id=new_public_id("pol"),
        state=PolicyState.DRAFT,
        document=policy.as_data(),
        digest=policy.digest(),
        based_on_id=based_on.id if based_on else None,
        created_by_id=by_user_id,
        **checked,
    )
    db.session.add(draft)
    db.session.flush()
    record_fact(
        "policy.drafted",
        subject=("policy_version", draft.id),
        actor_user_id=by_user_id,
        data={"based_on": based_on.number if based_on else None},
    )
    return draft


def save(
    draft: PolicyVersion, document: dict[str, Any], *, edition: int, by_user_id: int | None
) -> PolicyVersion:
    """Save what a draft says. `edition` is the one that was edited.

    A draft is a whole policy at any time. Raises DocumentError when the document is none,
    ConflictError when somebody else saved meanwhile, or when it is no draft any more.
    """
    policy = read_policy(document)
    held = _held(draft, edition)
    if held.digest == policy.digest():
        return held
    held.document, held.digest = policy.as_data(), policy.digest()
    _saved(held, by_user_id)
    return held


def describe(
    draft: PolicyVersion, *, name: str, note: str, edition: int, by_user_id: int | None
) -> PolicyVersion:
    """Name a draft and say why it is. Raises InvalidError, ConflictError."""
    checked = _described(name, note)
    held = _held(draft, edition)
    if (held.name, held.note) != (checked["name"], checked["note"]):
        held.name, held.note = checked["name"], checked["note"]
        _saved(held, by_user_id)
    return held


def discard(draft: PolicyVersion, *, by_user_id: int | None) -> bool:
    """Give a draft up; False when it was already. Raises ConflictError for a published version."""
    if draft.state is PolicyState.DISCARDED:
        return False
    held = hold_draft(draft)
    held.state = PolicyState.DISCARDED
    db.session.flush()
    record_fact(
        "policy.discarded", subject=("policy_version", held.id), actor_user_id=by_user_id, data={}
    )
    return True


def _held(draft: PolicyVersion, edition: int) -> PolicyVersion:
    held = hold_draft(draft)
    if held.edition != edition:
        raise ConflictError(CHANGED_MEANWHILE)
    return held


def _saved(held: PolicyVersion, by_user_id: int | None) -> None:
    held.edition += 1
    db.session.flush()
    record_fact(
        "policy.draft_saved",
        subject=("policy_version", held.id),
        actor_user_id=by_user_id,
        data={"edition": held.edition, "digest": held.digest},
    )


def _described(name: str, note: str) -> dict[str, str]:
    errors = {}
    name, note = " ".join(name.split()), note.strip()
    if not name:
        errors["name"] = "Give it a name, such as what changes."
    elif len(name) > MAX_NAME:
        errors["name"] = f"At most {MAX_NAME} characters."
    if len(note) > MAX_NOTE:
        errors["note"] = f"At most {MAX_NOTE} characters."
    for key, text in (("name", name), ("note", note)):
        if "\x00" in text:
            errors[key] = "There is an invisible character (NUL). Type it anew."
    if errors:
        raise InvalidError(errors)
    return {"name": name, "note": note}


__all__ = ["DocumentError", "begin", "describe", "discard", "save"]
