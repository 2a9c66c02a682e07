"""What a reviewer has to look at."""

from marketplace.catalogue.publishing.sensitivity import REASONS
from marketplace.catalogue.reviewing.checklist import CHECKS, checks_for, unchecked


def test_every_reason_has_its_checks() -> None:
    assert CHECKS.keys() == REASONS.keys()
    assert all(CHECKS.values())


def test_a_check_of_two_reasons_is_asked_once() -> None:
    keys = [check.key for check in checks_for(["new_listing", "new_scopes", "new_links"])]
    assert keys == ["name", "words", "links", "images", "data", "scopes", "least"]


def test_what_was_not_ticked_is_left() -> None:
    assert [c.key for c in unchecked(["new_scopes"], ["least", "nonsense"])] == ["scopes"]
    assert unchecked([], []) == []
