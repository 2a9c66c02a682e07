"""Who is there for whom, decided purely: the most exact assignment whose person is not away."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Person:
    """Somebody of the staff."""

    user_id: int
    name: str
    email: str
    staff_role: str


@dataclass(frozen=True)
class Assigned:
    """An assignment as far as it decides."""

    user_id: int
    backup_user_id: int | None = None


@dataclass(frozen=True)
class Chosen:
    """The person who answers. `away`: whom they stand in for, and until when."""

    person: Person
    away: Person | None = None
    away_until: datetime | None = None


# Who is asked when nobody is assigned at all, by their role on the staff.
_FALLBACK = {
    "partner_manager": ("program_manager", "admin", "owner"),
    "marketing": ("program_manager", "admin", "owner"),
    "support": ("support", "program_manager", "admin", "owner"),
    "executive_sponsor": ("owner", "admin", "program_manager"),
}


def scopes_of(
    organization_id: int | None, country: str | None, region_id: int | None
) -> tuple[str, ...]:
    """The scopes that speak for somebody, the most exact first."""
    found = []
    if organization_id is not None:
        found.append(f"organization:{organization_id}")
    if country:
        found.append(f"country:{country}")
    if region_id is not None:
        found.append(f"region:{region_id}")
    return (*found, "everybody")


def choose(
    role: str,
    scopes: Sequence[str],
    assigned: Mapping[tuple[str, str], Assigned],
    staff: Mapping[int, Person],
    away: Mapping[int, datetime],
) -> Chosen | None:
    """The person for a role, None while there is no staff.

    Whoever left the staff counts as not assigned. The most exact assignment decides; while its
    person is away its backup answers, then the person of the next scope. When all are away, the
    person who is meant is still named: a page without anybody helps nobody.
    """
    named = [
        assigned[role, scope]
        for scope in scopes
        if (role, scope) in assigned and assigned[role, scope].user_id in staff
    ]
    meant = staff[named[0].user_id] if named else _anybody(role, staff, away)
    if meant is None:
        return None
    if meant.user_id not in away:
        return Chosen(meant)
    candidates = [
        user_id for each in named for user_id in (each.user_id, each.backup_user_id) if user_id
    ]
    stand_in = next(
        (staff[each] for each in candidates if each in staff and each not in away), None
    )
    if stand_in is None:
        stand_in = _anybody(role, staff, away)
    if stand_in is None or stand_in.user_id == meant.user_id or stand_in.user_id in away:
        return Chosen(meant, meant, away[meant.user_id])
    return Chosen(stand_in, meant, away[meant.user_id])


def _anybody(role: str, staff: Mapping[int, Person], away: Collection[int]) -> Person | None:
    wanted = _FALLBACK.get(role, ("program_manager",))

    def order(person: Person) -> tuple[bool, int, int]:
        known = person.staff_role in wanted
        return (
            person.user_id in away,
            wanted.index(person.staff_role) if known else len(wanted),
            person.user_id,
        )

    return min(staff.values(), key=order, default=None)
