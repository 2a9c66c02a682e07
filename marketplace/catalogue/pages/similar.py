"""Which listings are most like another one."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

# A shared product to work with says more than a shared keyword, and both more than a place
# further up among the popular ones.
WORKS_WITH_WEIGHT = 3
TAG_WEIGHT = 2


@dataclass(frozen=True, slots=True)
class Candidate:
    """A listing that may be shown as similar, as far as the decision needs it."""

    id: int
    publisher_id: int
    works_with: tuple[str, ...]
    tags: tuple[str, ...]


def most_similar(
    works_with: Iterable[str],
    tags: Iterable[str],
    publisher_id: int,
    candidates: Sequence[Candidate],
    count: int,
) -> list[int]:
    """Ids of the `count` most similar candidates, best first.

    `candidates` come in order of popularity, which breaks ties. At most half of the choice is
    by the same publisher, so that a large publisher does not show its own things alone.
    """
    wanted_products = {item.casefold() for item in works_with}
    wanted_tags = {item.casefold() for item in tags}

    def likeness(candidate: Candidate) -> int:
        products = wanted_products & {item.casefold() for item in candidate.works_with}
        shared_tags = wanted_tags & {item.casefold() for item in candidate.tags}
        return WORKS_WITH_WEIGHT * len(products) + TAG_WEIGHT * len(shared_tags)

    ranked = sorted(candidates, key=likeness, reverse=True)
    chosen: list[int] = []
    own = 0
    for candidate in ranked:
        if candidate.publisher_id == publisher_id:
            if own >= count // 2:
                continue
            own += 1
        chosen.append(candidate.id)
        if len(chosen) == count:
            break
    return chosen
