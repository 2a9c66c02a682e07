"""When a collection is shown."""

from datetime import UTC, datetime, timedelta

import pytest

from marketplace.catalogue.curation.schedule import Showing, showing

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("published", "starts", "ends", "expected"),
    [
        (False, None, None, Showing.DRAFT),
        (False, NOW - HOUR, NOW + HOUR, Showing.DRAFT),
        (True, None, None, Showing.LIVE),
        (True, NOW, None, Showing.LIVE),
        (True, NOW + HOUR, None, Showing.SCHEDULED),
        (True, None, NOW, Showing.ENDED),
        (True, None, NOW + HOUR, Showing.LIVE),
        (True, NOW - 2 * HOUR, NOW - HOUR, Showing.ENDED),
        (True, NOW - HOUR, NOW + HOUR, Showing.LIVE),
    ],
)
def test_a_collection_is_shown_between_its_times(
    published: bool, starts: datetime | None, ends: datetime | None, expected: Showing
) -> None:
    assert showing(is_published=published, starts_at=starts, ends_at=ends, at=NOW) is expected
