"""Which listings are most like another one."""

from marketplace.catalogue.pages.similar import Candidate, most_similar


def candidate(
    number: int, works_with: tuple[str, ...] = (), tags: tuple[str, ...] = (), publisher: int = 9
) -> Candidate:
    return Candidate(number, publisher, works_with, tags)


def test_a_shared_product_comes_before_popularity() -> None:
    found = most_similar(["Jira"], [], 1, [candidate(1), candidate(2, ("jira",))], 2)
    assert found == [2, 1]


def test_popularity_breaks_ties() -> None:
    assert most_similar([], [], 1, [candidate(5), candidate(3), candidate(4)], 2) == [5, 3]


def test_products_count_more_than_keywords() -> None:
    found = most_similar(
        ["Jira"], ["sync"], 1, [candidate(1, tags=("sync",)), candidate(2, ("Jira",))], 2
    )
    assert found == [2, 1]


def test_at_most_half_is_by_the_same_publisher() -> None:
    own = [candidate(n, ("Jira",), publisher=1) for n in range(1, 5)]
    others = [candidate(n) for n in range(10, 14)]
    assert most_similar(["Jira"], [], 1, own + others, 4) == [1, 2, 10, 11]


def test_there_may_be_fewer_than_wanted() -> None:
    assert most_similar([], [], 1, [], 4) == []
