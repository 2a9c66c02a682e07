"""The index follows the database: changes, rebuilds, drift, and an engine that is away."""

import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, select

from marketplace.catalogue.changes import (
    listing_changed,
    listings_changed,
    publisher_changed,
    synonyms_changed,
)
from marketplace.catalogue.indexing import services
from marketplace.catalogue.indexing.spec import AUDIENCES, LISTINGS, PUBLISHERS, SPECS
from marketplace.catalogue.models import Listing, ListingStatus, SynonymGroup
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.jobs import Job, JobState
from marketplace.core.metrics import SEARCH_DRIFT
from search.engine import SearchEngine, SearchQuery, SearchUnavailable
from tests.factories.listings import make_listing
from tests.factories.people import make_organization

RunJobs = Callable[[], int]


@pytest.fixture(autouse=True)
def _empty_indexes(app: Flask) -> None:
    engine = app.extensions["portico_search"]
    for spec in SPECS:
        engine.rebuild(spec, [])


def found(text: str = "", index: str = LISTINGS.name) -> set[str]:
    page = services.engine().search(
        SearchQuery(index=index, scope=AUDIENCES, text=text, words_drop=False)
    )
    assert page.total == len(page.ids)
    return set(page.ids)


def indexed(*listings: Listing) -> None:
    services.index_listings([listing.id for listing in listings])


def test_a_changed_listing_is_found_by_its_new_words_after_the_job(run_jobs: RunJobs) -> None:
    listing = make_listing(name="Spring Neap")
    listing_changed(listing.id)
    db.session.commit()
    assert run_jobs() == 1
    assert found("neap") == {str(listing.id)}
    listing.name = "Ebb and Flow"
    listing.content = {**listing.content, "name": "Ebb and Flow"}
    listing_changed(listing.id)
    listing_changed(listing.id)
    db.session.commit()
    assert run_jobs() == 1
    assert found("ebb flow") == {str(listing.id)}
    assert found("neap") == set()


@pytest.mark.parametrize("how", ["withdrawn", "suspended", "unpublished", "publisher suspended"])
def test_what_is_no_longer_findable_leaves_the_index(run_jobs: RunJobs, how: str) -> None:
    listing = make_listing()
    indexed(listing)
    assert found(index=PUBLISHERS.name) == {str(listing.publisher_id)}
    if how == "withdrawn":
        listing.status = ListingStatus.WITHDRAWN
    elif how == "suspended":
        listing.suspended_at = clock.now()
    elif how == "unpublished":
        listing.published_at = None
    else:
        listing.publisher.suspended_at = clock.now()
    if how == "publisher suspended":
        publisher_changed(listing.publisher_id)
    else:
        listing_changed(listing.id)
    db.session.commit()
    run_jobs()
    assert found() == set()
    assert found(index=PUBLISHERS.name) == set()


def test_a_renamed_publisher_takes_its_listings_along(run_jobs: RunJobs) -> None:
    publisher = make_organization("Quayside")
    listings = [make_listing(publisher, name=f"Tides {number}") for number in range(3)]
    listings_changed([listing.id for listing in listings])
    db.session.commit()
    assert run_jobs() == 1
    publisher.name = "Breakwater"
    publisher_changed(publisher.id)
    db.session.commit()
    assert run_jobs() == 1
    assert found("breakwater") == {str(listing.id) for listing in listings}
    assert found("breakwater", PUBLISHERS.name) == {str(publisher.id)}
    assert found("quayside") == set()


def test_synonyms_apply_without_a_rebuild(run_jobs: RunJobs) -> None:
    listing = make_listing(name="Customer relationship management")
    indexed(listing)
    db.session.add(SynonymGroup(terms=["crm", "customer relationship management"]))
    synonyms_changed()
    db.session.commit()
    run_jobs()
    assert found("crm") == {str(listing.id)}
    services.rebuild(LISTINGS)
    assert found("crm") == {str(listing.id)}


class AwayEngine:
    """An engine that is away: every call raises as the real ones do."""

    name = "away"

    def __init__(self, *, rebuild: bool = False) -> None:
        self._rebuild = rebuild

    def __getattr__(self, _name: str) -> Callable[..., Any]:
        def away(*_args: Any, **_kwargs: Any) -> Any:
            raise SearchUnavailable("it is away", retry_after=40, rebuild=self._rebuild)

        return away


@pytest.fixture
def away(app: Flask) -> Iterator[Callable[[bool], None]]:
    engine: SearchEngine = app.extensions["portico_search"]

    def go_away(is_away: bool) -> None:
        app.extensions["portico_search"] = AwayEngine() if is_away else engine

    yield go_away
    app.extensions["portico_search"] = engine


def test_changes_wait_for_an_engine_that_is_away_and_none_is_lost(
    run_jobs: RunJobs, away: Callable[[bool], None]
) -> None:
    listing = make_listing()
    listing_changed(listing.id)
    db.session.commit()
    away(True)
    for _try in range(20):  # more often than a job may fail
        assert run_jobs() == 0
        db.session.expire_all()
        job = db.session.scalars(select(Job)).one()
        assert (job.state, job.attempts) == (JobState.READY, 0)
        assert job.run_at > clock.now() + timedelta(seconds=30)
        job.run_at = clock.now()
        db.session.commit()
    away(False)
    assert run_jobs() == 1
    assert found() == {str(listing.id)}


@pytest.mark.parametrize("damage", ["deleted", "corrupt"])
def test_an_index_that_is_gone_or_broken_is_built_anew_by_the_next_check(
    app: Flask, run_jobs: RunJobs, damage: str
) -> None:
    listing = make_listing()
    db.session.commit()
    services.rebuild(LISTINGS)
    folder: Path = app.extensions["portico_settings"].data_dir / "search" / LISTINGS.name
    if damage == "deleted":
        shutil.rmtree(folder)
    else:
        for file in folder.rglob("*"):
            if file.is_file():
                file.write_bytes(b"not an index")
    for spec in SPECS:
        services.engine().ensure_index(spec, create=False)  # as a new process does
    listing_changed(listing.id)
    db.session.commit()
    run_jobs()
    assert services.rebuild_what_is_broken() in ([], [LISTINGS.name])
    assert found() == {str(listing.id)}


def test_a_rebuild_replays_what_changed_while_it_ran(
    monkeypatch: pytest.MonkeyPatch, run_jobs: RunJobs
) -> None:
    stays, changes, goes = (make_listing(name=f"Tides {word}") for word in ("a1", "b2", "c3"))
    listings_changed([stays.id, changes.id, goes.id])
    db.session.commit()
    run_jobs()
    db.session.execute(Job.__table__.delete())
    db.session.commit()
    read = services.all_documents

    def slowly(spec: Any) -> Iterator[Any]:
        yield from read(spec)
        # After everything was read: a change, a withdrawal and something new.
        changes.name = "Ebb and flow"
        goes.status = ListingStatus.WITHDRAWN
        new = make_listing(name="New moon")
        for listing in (changes, goes, new):
            listing_changed(listing.id)
        db.session.commit()
        run_jobs()

    monkeypatch.setattr(services, "all_documents", slowly)
    services.rebuild(LISTINGS)
    monkeypatch.undo()
    assert found("ebb flow") == {str(changes.id)}
    assert found("new moon") != set()
    assert str(goes.id) not in found()
    assert str(stays.id) in found()
    assert services.verify(LISTINGS).clean


def test_verify_counts_the_drift_and_mends_it() -> None:
    missing, changed, extra, right = (make_listing(name=f"Tides {n}") for n in range(4))
    indexed(changed, extra, right)
    changed.name = "Another name"
    extra.suspended_at = clock.now()
    db.session.commit()
    before = SEARCH_DRIFT._value.get()
    drift = services.verify(LISTINGS, mend=False)
    assert (drift.missing, drift.changed, drift.extra) == (
        (str(missing.id),),
        (str(changed.id),),
        (str(extra.id),),
    )
    assert services.verify(LISTINGS).total == 3
    assert SEARCH_DRIFT._value.get() == before + 6
    assert services.verify(LISTINGS).clean
    assert found("another name") == {str(changed.id)}


def test_what_waits_for_its_job_is_no_drift(run_jobs: RunJobs) -> None:
    waiting, lost = make_listing(name="Waiting"), make_listing(name="Lost")
    listing_changed(waiting.id)
    db.session.commit()
    assert services.verify(LISTINGS, mend=False).missing == (str(lost.id),)
    run_jobs()
    assert services.verify(LISTINGS, mend=False).missing == (str(lost.id),)
    assert found("waiting") == {str(waiting.id)}


def test_a_listing_that_changes_while_it_is_written_is_written_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    listing = make_listing(name="Before")
    db.session.commit()
    engine = services.engine()
    upsert = engine.upsert
    rounds = []

    def overtaken(index: str, docs: Any) -> Any:
        ticket = upsert(index, docs)
        if index == LISTINGS.name and not rounds:
            rounds.append(1)
            listing.name = "After"
            db.session.commit()
        return ticket

    monkeypatch.setattr(engine, "upsert", overtaken)
    indexed(listing)
    monkeypatch.undo()
    assert found("after") == {str(listing.id)}
    assert services.verify(LISTINGS).clean


def test_building_all_documents_costs_a_constant_number_of_queries() -> None:
    def queries() -> int:
        statements: list[str] = []

        def note(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
            statements.append(statement)

        event.listen(db.engine, "before_cursor_execute", note)
        for spec in SPECS:
            list(services.all_documents(spec))
        event.remove(db.engine, "before_cursor_execute", note)
        return len(statements)

    for _ in range(3):
        make_listing()
    db.session.commit()
    db.session.expunge_all()
    few = queries()
    for _ in range(27):
        make_listing()
    db.session.commit()
    db.session.expunge_all()
    assert queries() == few


def test_the_commands_tell_what_they_did(app: Flask) -> None:
    make_listing()
    db.session.commit()
    run = app.test_cli_runner()
    assert "1 missing" in run.invoke(args=["search", "verify", "--no-mend"]).output
    assert run.invoke(args=["search", "verify", "--no-mend"]).exit_code == 1
    assert "listings: 1 documents" in run.invoke(args=["search", "rebuild"]).output
    assert "all as they should be" in run.invoke(args=["search", "verify"]).output
    status = run.invoke(args=["search", "status"])
    assert "listings: ready, 1 documents" in status.output
    assert status.exit_code == 0


def test_judged_queries_are_asked_of_this_catalogue(app: Flask, tmp_path: Path) -> None:
    indexed(make_listing(name="Tide Tables"), make_listing(name="Moon Phases"))
    db.session.commit()
    file = tmp_path / "cases.jsonl"
    file.write_text(
        '{"query": "tide tables", "kind": "exact name", "relevant": ["Tide Tables"]}\n'
        '{"query": "moom phases", "kind": "typo", "relevant": ["Moon Phases"]}\n'
        '{"query": "slack", "kind": "exact name", "relevant": ["Slack"]}\n'
    )
    run = app.test_cli_runner()
    result = run.invoke(args=["search", "evaluate", str(file)])
    assert result.exit_code == 0
    assert "exact name           1   1.000" in result.stdout
    assert "'slack': what it means is not in the catalogue" in result.stderr
    file.write_text("{")
    assert run.invoke(args=["search", "evaluate", str(file)]).exit_code == 1
