"""The smoothed rating, case by case."""

import pytest

from marketplace.catalogue.engagement.ratings import catalogue_mean, histogram, smoothed


@pytest.mark.parametrize(
    ("rating_sum", "rating_count", "mean", "expected"),
    [
        pytest.param(0, 0, 410, 0, id="none is no rating at all"),
        pytest.param(5, 1, 410, 425, id="one five barely moves the mean"),
        pytest.param(1, 1, 410, 358, id="one one does not ruin a listing"),
        pytest.param(960, 200, 410, 478, id="two hundred speak for themselves"),
        pytest.param(20, 5, 400, 400, id="at the mean it stays there"),
        pytest.param(50, 10, 300, 433, id="ten fives in a harsh catalogue"),
        pytest.param(10, 10, 500, 233, id="ten ones in a kind catalogue"),
        pytest.param(500_000, 100_000, 400, 500, id="very many are exact"),
    ],
)
def test_a_rating_is_pulled_towards_the_mean_by_five_imagined_ones(
    rating_sum: int, rating_count: int, mean: int, expected: int
) -> None:
    assert smoothed(rating_sum, rating_count, mean) == expected


def test_one_perfect_review_ranks_below_many_good_ones() -> None:
    assert smoothed(5, 1, 410) < smoothed(960, 200, 410)


def test_a_better_rating_never_lowers_the_result() -> None:
    for count in (1, 2, 5, 40):
        results = [smoothed(total, count, 410) for total in range(count, 5 * count + 1)]
        assert results == sorted(results)
        assert all(100 <= result <= 500 for result in results)


@pytest.mark.parametrize(
    ("rating_sum", "rating_count", "expected"),
    [
        pytest.param(0, 0, 400, id="an empty catalogue"),
        pytest.param(19, 19, 400, id="too few to say"),
        pytest.param(82, 20, 410, id="exactly a tenth"),
        pytest.param(83, 20, 420, id="half a tenth goes up"),
        pytest.param(4_149, 1_000, 410, id="just below half a tenth goes down"),
        pytest.param(5_000, 1_000, 500, id="all fives"),
    ],
)
def test_the_catalogues_mean_is_rounded_to_a_tenth(
    rating_sum: int, rating_count: int, expected: int
) -> None:
    assert catalogue_mean(rating_sum, rating_count) == expected


def test_the_histogram_names_every_star_from_five_to_one() -> None:
    assert list(histogram({4: 2, 1: 7}).items()) == [(5, 0), (4, 2), (3, 0), (2, 0), (1, 7)]
