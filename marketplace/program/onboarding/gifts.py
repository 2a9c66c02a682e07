"""What a new partner gets at once, from rooms that the program knows nothing of."""

from collections.abc import Callable
from dataclasses import dataclass

from marketplace.core.permissions import Actor
from marketplace.identity.models import Organization


@dataclass(frozen=True)
class Gift:
    """One thing on the welcome page. `secret` is shown there and never again."""

    title: str
    text: str
    secret: str = ""
    href: str = ""
    link_label: str = ""


# The new partner, and the person who joined for it and acts for it.
Giver = Callable[[Organization, Actor], list[Gift]]
_givers: list[Giver] = []


def give_on_joining(*givers: Giver) -> None:
    """Ask each for its gifts when somebody joins without a review."""
    _givers[:] = givers


def gifts_for(organization: Organization, actor: Actor) -> list[Gift]:
    """What they get, in the transaction of the joining."""
    return [gift for give in _givers for gift in give(organization, actor)]
