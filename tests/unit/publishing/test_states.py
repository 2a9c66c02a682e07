"""Every state and act of a revision: allowed where the table says so, refused elsewhere."""

import itertools

import pytest

from marketplace.catalogue.models import RevisionState as S
from marketplace.catalogue.publishing.states import NAMES, WAITING, Act, after, is_allowed
from marketplace.core.errors import ConflictError

ALLOWED = {
    (S.DRAFT, Act.SUBMIT): S.SUBMITTED,
    (S.DRAFT, Act.PUBLISH_UNREVIEWED): S.PUBLISHED,
    (S.DRAFT, Act.DISCARD): S.DISCARDED,
    (S.CHANGES_REQUESTED, Act.SUBMIT): S.SUBMITTED,
    (S.CHANGES_REQUESTED, Act.DISCARD): S.DISCARDED,
    (S.SUBMITTED, Act.WITHDRAW_SUBMISSION): S.DRAFT,
    (S.SUBMITTED, Act.START_REVIEW): S.IN_REVIEW,
    (S.IN_REVIEW, Act.WITHDRAW_SUBMISSION): S.DRAFT,
    (S.IN_REVIEW, Act.RELEASE): S.SUBMITTED,
    (S.IN_REVIEW, Act.REQUEST_CHANGES): S.CHANGES_REQUESTED,
    (S.IN_REVIEW, Act.APPROVE): S.APPROVED,
    (S.APPROVED, Act.WITHDRAW_SUBMISSION): S.DRAFT,
    (S.APPROVED, Act.REQUEST_CHANGES): S.CHANGES_REQUESTED,
    (S.APPROVED, Act.PUBLISH): S.PUBLISHED,
}


@pytest.mark.parametrize(("state", "act"), list(itertools.product(S, Act)))
def test_an_act_leads_where_the_table_says_or_is_refused(state: S, act: Act) -> None:
    if (state, act) in ALLOWED:
        assert after(state, act) is ALLOWED[state, act]
        assert is_allowed(state, act)
    else:
        assert not is_allowed(state, act)
        with pytest.raises(ConflictError, match=NAMES[state]):
            after(state, act)


def test_nothing_leads_out_of_the_ends() -> None:
    assert not any(is_allowed(state, act) for state in (S.PUBLISHED, S.DISCARDED) for act in Act)


def test_every_state_between_submission_and_decision_can_be_taken_back() -> None:
    assert all(is_allowed(state, Act.WITHDRAW_SUBMISSION) for state in WAITING)
