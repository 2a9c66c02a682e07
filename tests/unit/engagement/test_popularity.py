"""How popular a listing is."""

import pytest

from marketplace.catalogue.popularity import Signals, bucket


@pytest.mark.parametrize(
    ("signals", "expected"),
    [
        (Signals(), 0),
        (Signals(follows=1), 4),
        (Signals(uses=1), 9),
        (Signals(uses=1, recent_uses=1), 13),
        (Signals(uses=50, ratings=20, follows=30), 32),
        (Signals(uses=10_000, ratings=2_000), 61),
    ],
)
def test_the_bucket_is_the_logarithm_of_what_people_did(signals: Signals, expected: int) -> None:
    assert bucket(signals) == expected


def test_more_of_anything_never_makes_less_popular() -> None:
    names = ("uses", "ratings", "follows", "recent_uses", "recent_reviews", "recent_follows")
    for name in names:
        found = [bucket(Signals(**{name: amount})) for amount in range(0, 300, 7)]
        assert found == sorted(found)


def test_a_listing_on_its_way_up_passes_one_that_lives_on_its_past() -> None:
    assert bucket(Signals(uses=20, recent_uses=20)) > bucket(Signals(uses=40))


def test_one_more_follow_of_a_popular_listing_changes_nothing() -> None:
    assert bucket(Signals(uses=500, follows=100)) == bucket(Signals(uses=500, follows=101))
