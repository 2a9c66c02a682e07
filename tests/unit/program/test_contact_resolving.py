"""Who is there for whom."""

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from marketplace.program.contacts.resolving import Assigned, Person, choose, scopes_of

ROLE = "partner_manager"
UNTIL = datetime(2026, 6, 1, tzinfo=UTC)
STAFF = {
    1: Person(1, "Admin", "a@x.example", "admin"),
    2: Person(2, "Manager", "m@x.example", "program_manager"),
    3: Person(3, "Region", "r@x.example", "reviewer"),
    4: Person(4, "Own", "o@x.example", "support"),
}
ALL = {
    (ROLE, "everybody"): Assigned(1),
    (ROLE, "region:7"): Assigned(3, backup_user_id=2),
    (ROLE, "country:SE"): Assigned(2),
    (ROLE, "organization:9"): Assigned(4, backup_user_id=3),
}


@pytest.mark.parametrize(
    ("scopes", "away", "person", "instead_of"),
    [
        (scopes_of(9, "SE", 7), (), 4, None),
        (scopes_of(8, "SE", 7), (), 2, None),
        (scopes_of(8, "NO", 7), (), 3, None),
        (scopes_of(None, "JP", None), (), 1, None),
        (scopes_of(None, None, None), (), 1, None),
        # Away: the backup, then whoever is there more generally.
        (scopes_of(9, "SE", 7), (4,), 3, 4),
        (scopes_of(9, "SE", 7), (4, 3), 2, 4),
        (scopes_of(9, None, None), (4, 3), 1, 4),
        # All of them are away: the one who is meant, and the page says so.
        (scopes_of(9, "SE", 7), (1, 2, 3, 4), 4, 4),
    ],
)
def test_the_most_exact_assignment_of_somebody_who_is_here_counts(
    scopes: tuple[str, ...], away: tuple[int, ...], person: int, instead_of: int | None
) -> None:
    chosen = choose(ROLE, scopes, ALL, STAFF, dict.fromkeys(away, UNTIL))
    assert chosen is not None
    assert chosen.person.user_id == person
    assert (chosen.away.user_id if chosen.away else None) == instead_of


@pytest.mark.parametrize(
    ("role", "person"),
    [("partner_manager", 2), ("support", 4), ("executive_sponsor", 1), ("marketing", 2)],
)
def test_without_any_assignment_the_role_on_the_staff_decides(role: str, person: int) -> None:
    chosen = choose(role, ("everybody",), {}, STAFF, {})
    assert chosen is not None
    assert chosen.person.user_id == person


def test_whoever_left_the_staff_counts_as_not_assigned() -> None:
    staff: Mapping[int, Person] = {key: STAFF[key] for key in (1, 2)}
    chosen = choose(ROLE, scopes_of(9, None, 7), ALL, staff, {})
    assert chosen is not None
    assert chosen.person.user_id == 1


def test_without_staff_there_is_nobody() -> None:
    assert choose(ROLE, ("everybody",), ALL, {}, {}) is None
