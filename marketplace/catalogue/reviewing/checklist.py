"""What a reviewer looks at before approving, by the reasons of the review. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from marketplace.catalogue.publishing import sensitivity as why


@dataclass(frozen=True)
class Check:
    """One thing to look at."""

    key: str
    text: str


_NAME = Check("name", "The name is the publisher's own and could not be taken for another's.")
_WORDS = Check("words", "The texts are true, readable and free of promises nobody can check.")
_LINKS = Check("links", "Every link opens and leads to the publisher's own pages.")
_IMAGES = Check("images", "The logo and screenshots show this product and may be used.")
_DATA = Check("data", "Data shared and ways to connect match what the product does.")
_SCOPES = Check("scopes", "Each scope is needed, and its reason says what for.")
_LEAST = Check("least", "No smaller scope would do.")
_NAMESAKE = Check("namesake", "The name it is close to belongs to somebody else's other product.")
_ASKED = Check("asked", "What was asked for in the last review is done.")

CHECKS: Final[Mapping[str, tuple[Check, ...]]] = {
    why.NEW_LISTING: (_NAME, _WORDS, _LINKS, _IMAGES, _DATA),
    why.SENSITIVE: (_NAME, _LINKS, _DATA),
    why.NEW_SCOPES: (_SCOPES, _LEAST),
    why.NEW_LINKS: (_LINKS,),
    why.CLOSE_NAME: (_NAMESAKE,),
    why.SENT_BACK: (_ASKED,),
}


def checks_for(reasons: Iterable[str]) -> list[Check]:
    """The checks of these reasons, each once, in the order of the reasons."""
    found = dict.fromkeys(check for reason in reasons for check in CHECKS.get(reason, ()))
    return list(found)


def unchecked(reasons: Iterable[str], ticked: Iterable[str]) -> list[Check]:
    """The checks that nobody has ticked yet."""
    done = set(ticked)
    return [check for check in checks_for(reasons) if check.key not in done]
