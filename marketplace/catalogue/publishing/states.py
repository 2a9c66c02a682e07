"""The states of a revision and the acts that lead from one to the next. Pure."""

import enum
from collections.abc import Mapping
from typing import Final

from marketplace.catalogue.models import RevisionState
from marketplace.core.errors import ConflictError

State = RevisionState


class Act(enum.StrEnum):
    """What a person does to a revision."""

    SUBMIT = "submit"
    PUBLISH_UNREVIEWED = "publish_unreviewed"
    WITHDRAW_SUBMISSION = "withdraw_submission"
    DISCARD = "discard"
    START_REVIEW = "start_review"
    RELEASE = "release"
    REQUEST_CHANGES = "request_changes"
    APPROVE = "approve"
    PUBLISH = "publish"


TRANSITIONS: Final[Mapping[tuple[State, Act], State]] = {
    (State.DRAFT, Act.SUBMIT): State.SUBMITTED,
    (State.DRAFT, Act.PUBLISH_UNREVIEWED): State.PUBLISHED,
    (State.DRAFT, Act.DISCARD): State.DISCARDED,
    # What a reviewer sent back is looked at again, however harmless it has become.
    (State.CHANGES_REQUESTED, Act.SUBMIT): State.SUBMITTED,
    (State.CHANGES_REQUESTED, Act.DISCARD): State.DISCARDED,
    (State.SUBMITTED, Act.WITHDRAW_SUBMISSION): State.DRAFT,
    (State.SUBMITTED, Act.START_REVIEW): State.IN_REVIEW,
    (State.IN_REVIEW, Act.WITHDRAW_SUBMISSION): State.DRAFT,
    (State.IN_REVIEW, Act.RELEASE): State.SUBMITTED,
    (State.IN_REVIEW, Act.REQUEST_CHANGES): State.CHANGES_REQUESTED,
    (State.IN_REVIEW, Act.APPROVE): State.APPROVED,
    # Approved is a stop only where a second person has to approve as well.
    (State.APPROVED, Act.WITHDRAW_SUBMISSION): State.DRAFT,
    (State.APPROVED, Act.REQUEST_CHANGES): State.CHANGES_REQUESTED,
    (State.APPROVED, Act.PUBLISH): State.PUBLISHED,
}

NAMES: Final[Mapping[State, str]] = {
    State.DRAFT: "a draft",
    State.SUBMITTED: "waiting for review",
    State.IN_REVIEW: "in review",
    State.CHANGES_REQUESTED: "back with its publisher for changes",
    State.APPROVED: "waiting for its second approval",
    State.PUBLISHED: "published",
    State.DISCARDED: "discarded",
}
# In these its publisher has handed it over: the words that are reviewed must not move.
WAITING: Final = (State.SUBMITTED, State.IN_REVIEW, State.APPROVED)


def is_allowed(state: State, act: Act) -> bool:
    """Whether `act` can be done to a revision in `state`."""
    return (state, act) in TRANSITIONS


def after(state: State, act: Act) -> State:
    """The state that `act` leads to. Raises ConflictError where it cannot be done."""
    try:
        return TRANSITIONS[state, act]
    except KeyError:
        raise ConflictError(
            f"That cannot be done now: the revision is {NAMES[state]}.", code="revision-state"
        ) from None
