"""Which step of a case may follow which."""

import itertools

import pytest

from marketplace.catalogue.engagement.abuse_cases import case_number, may_become
from marketplace.catalogue.models import CaseState

ALLOWED = {
    ("open", "investigating"),
    ("open", "dismissed"),
    ("open", "suspended"),
    ("investigating", "investigating"),
    ("investigating", "dismissed"),
    ("investigating", "suspended"),
    ("dismissed", "investigating"),
    ("suspended", "reinstated"),
}


@pytest.mark.parametrize(("now", "then"), list(itertools.product(CaseState, CaseState)))
def test_only_these_steps_exist(now: CaseState, then: CaseState) -> None:
    assert may_become(now, then) is ((now.value, then.value) in ALLOWED)


def test_a_case_is_numbered_by_year_and_id() -> None:
    assert case_number(2026, 12) == "AB-2026-00012"
    assert case_number(2027, 1_234_567) == "AB-2027-1234567"
