"""The catalogues that are measured are valid, and the same each time."""

import json
from pathlib import Path

import pytest
from werkzeug.datastructures import MultiDict

from benchmarks.corpus import mixed_queries, read_source, write_catalogue
from benchmarks.timing import percentiles
from marketplace.api.v1.parameters import parse_listing_search
from marketplace.catalogue.exchange.records import parse_record


@pytest.fixture
def _demo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PORTICO_CONNECTORS", raising=False)


@pytest.mark.usefixtures("_demo")
def test_a_made_catalogue_is_valid_and_the_same_each_time(tmp_path: Path) -> None:
    source = read_source()
    assert source.name == "demo"
    first, second = tmp_path / "first", tmp_path / "second"
    assert write_catalogue(source, 500, first) == 500
    write_catalogue(source, 500, second)
    assert first.read_bytes() == second.read_bytes()
    slugs = set()
    for line in first.read_text().splitlines():
        record = json.loads(line)
        parse_record(record)
        slugs.add((record["record"], record["slug"]))
    assert len(slugs) == len(first.read_text().splitlines())


def test_mixed_queries_are_ones_that_the_api_takes() -> None:
    names = ["Slack Alerts", "C#", "Snowflake", "HubSpot CRM"]
    queries = mixed_queries(names, ["Posts customer news to the right channel"], 300)
    assert len(queries) == 300
    assert queries == mixed_queries(names, ["Posts customer news to the right channel"], 300)
    for query in queries:
        parse_listing_search(MultiDict(query))
    assert {frozenset(query) for query in queries} == {
        frozenset({"q"}),
        frozenset({"q", "auth"}),
        frozenset({"sort", "kind"}),
    }


def test_percentiles_are_of_the_times_in_order() -> None:
    times = percentiles([5.0, 1.0, 2.0, 3.0, 4.0])
    assert (times.calls, times.p50, times.p95) == (5, 3.0, 5.0)
