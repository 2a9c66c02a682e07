"""Organizations that one person alone acts for: nobody else can be invited or join."""

from collections.abc import Callable

# Whether an organization is for one person.
Rule = Callable[[int], bool]
_rules: list[Rule] = []
FOR_ONE_PERSON = "This organization is for one person. Nobody else can join it."


def keep_for_one_person_with(rule: Rule) -> None:
    """Ask this before somebody is invited to an organization, or joins it."""
    _rules[:] = [rule]


def is_for_one_person(organization_id: int) -> bool:
    """Whether nobody else can join it."""
    return any(rule(organization_id) for rule in _rules)
