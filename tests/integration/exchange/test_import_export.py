"""A catalogue file goes in, comes out the same, and goes in again without a change."""

import io
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from PIL import Image
from sqlalchemy import event, func, select, text

from marketplace.catalogue.content import ListingContent
from marketplace.catalogue.exchange.services import (
    ImportReport,
    export_catalogue,
    import_catalogue,
)
from marketplace.catalogue.exchange.services.report import Outcome
from marketplace.catalogue.models import (
    Asset,
    Category,
    Listing,
    ListingStatus,
    Revision,
    RevisionState,
    SlugRedirect,
)
from marketplace.catalogue.publication import apply_content
from marketplace.core.database import Base, db
from marketplace.core.jobs import Job
from marketplace.identity.models import Organization, OrganizationKind
from tests.factories.people import make_organization


def category(slug: str = "weather", **fields: Any) -> dict[str, Any]:
    return {"record": "category", "slug": slug, "name": slug.title(), **fields}


def publisher(slug: str = "harbour", **fields: Any) -> dict[str, Any]:
    return {"record": "publisher", "slug": slug, "name": slug.title(), **fields}


def listing(slug: str = "tides", **fields: Any) -> dict[str, Any]:
    return {
        "record": "listing",
        "slug": slug,
        "publisher": "harbour",
        "kind": "integration",
        "name": slug.title(),
        "tagline": "Tells the tides of four thousand ports",
        "description": "Writes the day's high and low water into the calendar you use.",
        "categories": ["weather"],
        **fields,
    }


def png(width: int = 256, height: int = 256, color: str = "#1f6f8b") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), color).save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def to_file(*records: object, name: str = "catalogue.jsonl") -> Path:
        file = tmp_path / name
        file.write_text("".join(json.dumps(record) + "\n" for record in records))
        return file

    return to_file


def rich() -> list[dict[str, Any]]:
    return [
        listing(
            "old-tides",
            status="deprecated",
            successor="tides",
            status_reason="Tides does all of it",
            published_on="2024-02-29",
        ),
        listing(
            "tides",
            tags=["sea"],
            works_with=["Calendar"],
            data_shared=[{"object": "Events", "direction": "two_way", "purpose": "To add tides"}],
            auth_kinds=["oauth2"],
            scopes=[{"scope": "events.write", "reason": "To add the tides"}],
            actions=[{"name": "Add tides", "description": "Adds a day"}],
            action_count=3,
            pricing={"model": "paid", "summary": "5 a month", "url": "https://t.example/p"},
            setup_guide="1. Connect",
            website_url="https://t.example",
            support_email="help@t.example",
            security={"retention": "30 days"},
            compliance=["gdpr"],
            languages=["en", "pt-BR"],
            regions=["eu"],
            brand_color="#1F6F8B",
            logo="art/logo.png",
            screenshots=[{"file": "art/shot.png", "caption": "A week", "alt": "A week of tides"}],
            versions=[
                {"version": "1.1.0", "released_on": "2026-02-01", "changelog": "Faster"},
                {"version": "1.0.0", "released_on": "2025-02-01"},
            ],
            certified=True,
            published_on="2025-01-15",
            source="hand",
        ),
        listing("ebb", status="withdrawn", status_reason="The service ended"),
        category(description="Sun and rain", icon="sun", position=3),
        publisher(
            tagline="Sea things",
            about="We *like* water.",
            website="https://h.example",
            partner_type="agency",
            country="NO",
            brand_color="#112233",
            logo="art/logo.png",
            verified=True,
        ),
        publisher("quiet"),
    ]


@pytest.fixture
def art(tmp_path: Path) -> Path:
    folder = tmp_path / "art"
    folder.mkdir()
    (folder / "logo.png").write_bytes(png())
    (folder / "shot.png").write_bytes(png(1280, 800, "#eeeeee"))
    return folder


def counts(report: ImportReport, record: str = "listing") -> tuple[int, int, int, int]:
    return tuple(report.count(record, outcome) for outcome in Outcome)  # type: ignore[return-value]  # four outcomes


@pytest.mark.usefixtures("app", "art")
def test_records_in_any_order_go_in_whole(write: Callable[..., Path]) -> None:
    report = import_catalogue(write(*rich()))
    assert report.problems == []
    assert counts(report) == (3, 0, 0, 0)
    assert counts(report, "publisher") == (2, 0, 0, 0)
    tides = db.session.scalars(select(Listing).where(Listing.slug == "tides")).one()
    ListingContent.model_validate(tides.content)
    assert tides.certified_at is not None
    assert str(tides.published_at) == "2025-01-15 00:00:00+00:00"
    assert [version.version for version in tides.versions] == ["1.1.0", "1.0.0"]
    assert all(version.checked_at is not None for version in tides.versions)
    assert tides.source == "hand"
    assert tides.content["logo"]["width"] == 256
    revision = db.session.get(Revision, tides.published_revision_id)
    assert revision is not None
    assert (revision.number, revision.state) == (1, RevisionState.PUBLISHED)
    assert revision.content == tides.content
    old = db.session.scalars(select(Listing).where(Listing.slug == "old-tides")).one()
    assert old.successor is tides
    assert db.session.scalar(select(func.count()).select_from(Asset)) == 2
    harbour = db.session.scalars(select(Organization).where(Organization.slug == "harbour")).one()
    assert (harbour.kind, harbour.country) == (OrganizationKind.PARTNER, "NO")
    assert harbour.verified_at is not None


@pytest.mark.usefixtures("app", "art")
def test_the_second_time_nothing_changes(write: Callable[..., Path]) -> None:
    file = write(*rich())
    import_catalogue(file)
    before = _rows()
    report = import_catalogue(file)
    assert counts(report) == (0, 0, 3, 0)
    assert counts(report, "publisher") == (0, 0, 2, 0)
    assert counts(report, "category") == (0, 0, 1, 0)
    assert _rows() == before


def _rows() -> list[Any]:
    db.session.expire_all()
    return [
        db.session.scalar(select(func.count()).select_from(model)) for model in (Revision, Job)
    ] + [
        (row.slug, row.updated_at, row.content)
        for row in db.session.scalars(select(Listing).order_by(Listing.slug))
    ]


@pytest.mark.usefixtures("art")
def test_an_export_imported_elsewhere_exports_the_same_bytes(
    app: Flask, write: Callable[..., Path], tmp_path: Path
) -> None:
    import_catalogue(write(*rich()))
    first = tmp_path / "first"
    first.mkdir()
    report = export_catalogue(first / "export.jsonl")
    assert (report.categories, report.publishers, report.listings) == (1, 2, 3)
    assert report.missing == ()
    _empty(app)
    again = import_catalogue(first / "export.jsonl")
    assert again.problems == []
    second = tmp_path / "second"
    second.mkdir()
    export_catalogue(second / "other-name.jsonl")
    assert (second / "other-name.jsonl").read_bytes() == (first / "export.jsonl").read_bytes()
    lines = (first / "export.jsonl").read_text().splitlines()
    assert [json.loads(line)["slug"] for line in lines] == [
        "weather",
        "harbour",
        "quiet",
        "ebb",
        "old-tides",
        "tides",
    ]
    assert (first / "media/listings/tides/logo.png").is_file()


def _empty(app: Flask) -> None:
    db.session.remove()
    if db.engine.dialect.name == "postgresql":
        names = ", ".join(f'"{table.name}"' for table in Base.metadata.sorted_tables)
        with db.engine.begin() as connection:
            # The ledger refuses to be emptied.
            connection.execute(text("SET LOCAL session_replication_role = replica"))
            connection.execute(text(f"TRUNCATE {names} RESTART IDENTITY CASCADE"))
        return
    db.engine.dispose()
    folder = app.extensions["portico_settings"].data_dir
    for suffix in ("-wal", "-shm"):
        (folder / f"portico.db{suffix}").unlink(missing_ok=True)
    shutil.copy(folder / "empty.db", folder / "portico.db")


@pytest.mark.usefixtures("app", "art")
def test_a_dry_run_tells_and_writes_nothing(write: Callable[..., Path]) -> None:
    report = import_catalogue(write(*rich(), listing("bad", publisher="nobody")), dry_run=True)
    assert counts(report) == (3, 0, 0, 1)
    assert counts(report, "publisher") == (2, 0, 0, 0)
    for model in (Listing, Organization, Category, Revision, Asset, Job):
        assert db.session.scalar(select(func.count()).select_from(model)) == 0


BAD = [
    (listing(publisher="nobody"), "publisher", "There is no publisher nobody"),
    (listing(categories=["nope"]), "categories", "There is no category nope"),
    (listing(name="x" * 61), "name", "Use at most 60 characters; this has 61"),
    (listing(tagline="short"), "tagline", "Use at least 10 characters"),
    (listing(colour="#112233"), "colour", "There is no field of this name"),
    (listing(status="withdrawn"), "status_reason", "Say why the listing was withdrawn"),
    (listing(website_url="javascript:alert(1)"), "website_url", "Enter a full web address"),
    (listing(scopes=[{"scope": "a"}]), "scopes.0.reason", "Field required"),
    (listing(published_on="2999-01-01"), "published_on", "The day lies in the future"),
    (listing(published_on="yesterday"), "published_on", ""),
    (listing(action_count=10**18), "action_count", ""),
    (listing(slug="Über"), "slug", ""),
    (listing(categories="weather"), "categories", ""),
    (listing(logo="../../etc/passwd"), "logo", "beside the catalogue file"),
    (listing(versions=[{"version": "1", "released_on": "x"}]), "versions.0.released_on", ""),
    (listing(security={"favourite_colour": "blue"}), "security", ""),
    (listing(name=None), "name", ""),
    (listing(name={"en": "x"}), "name", ""),
    ({"record": "thing"}, "record", "Must be category, publisher or listing"),
    ({"slug": "x"}, "record", "Say what the line is"),
    (category("sun", position=10**30), "position", ""),
    (publisher("p", country="Norway"), "country", ""),
]


@pytest.mark.usefixtures("app")
def test_each_bad_line_is_told_by_number_field_and_reason_and_the_rest_goes_in(
    write: Callable[..., Path],
) -> None:
    records: list[object] = [category(), publisher()]
    records += [
        {**bad, "slug": f"bad-{number}"} if bad.get("slug") == "tides" else bad
        for number, (bad, _field, _reason) in enumerate(BAD)
    ]
    records += [listing("good"), listing("good", name="The same slug again")]
    report = import_catalogue(write(*records))
    told = {(problem.line, problem.field): problem.reason for problem in report.problems}
    for number, (_bad, field, reason) in enumerate(BAD, start=3):
        assert (number, field) in told, (number, field, told)
        assert reason in told[number, field]
    assert told[len(records), "slug"] == f"good stands on line {len(records) - 1} already"
    assert report.total(Outcome.REFUSED) == len(BAD) + 1
    assert list(db.session.scalars(select(Listing.slug))) == ["good"]


@pytest.mark.usefixtures("app")
def test_an_image_that_cannot_be_used_is_left_out_and_told(
    write: Callable[..., Path], tmp_path: Path
) -> None:
    (tmp_path / "small.png").write_bytes(png(16, 16))
    (tmp_path / "page.png").write_bytes(b"<svg onload=alert(1)>")
    (tmp_path / "link.png").symlink_to("/etc/hostname")
    report = import_catalogue(
        write(
            category(),
            publisher(),
            listing("aa", logo="small.png"),
            listing("bb", logo="missing.png"),
            listing("cc", logo="link.png"),
            listing("dd", screenshots=[{"file": "page.png", "alt": "A page"}]),
        )
    )
    assert counts(report) == (4, 0, 0, 0)
    reasons = [str(problem) for problem in report.problems]
    assert "at least 128 by 128" in reasons[0]
    assert "there is no file missing.png" in reasons[1]
    assert "not beside the catalogue file" in reasons[2]
    assert "screenshots.0: Use a PNG, JPEG or WebP image. (left out)" in reasons[3]


@pytest.mark.usefixtures("app")
def test_what_was_edited_here_survives_the_same_file_and_is_not_replaced_by_another(
    write: Callable[..., Path],
) -> None:
    file = write(category(), publisher(), listing())
    import_catalogue(file)
    row = db.session.scalars(select(Listing)).one()
    content = ListingContent.model_validate({**row.content, "tagline": "Edited by its publisher"})
    revision = Revision(
        listing_id=row.id, number=2, state=RevisionState.PUBLISHED, content=content.to_json()
    )
    db.session.add(revision)
    db.session.flush()
    row.published_revision_id = revision.id
    row.status = ListingStatus.BETA
    apply_content(row, content)
    db.session.commit()

    assert counts(import_catalogue(file)) == (0, 0, 1, 0)
    newer = write(category(), publisher(), listing(name="Tides and more"))
    report = import_catalogue(newer)
    assert counts(report) == (0, 0, 0, 1)
    assert "was edited here since its import" in str(report.problems[0])
    db.session.refresh(row)
    assert (row.name, row.tagline, row.status) == ("Tides", "Edited by its publisher", "beta")

    assert counts(import_catalogue(newer, overwrite=True)) == (0, 1, 0, 0)
    db.session.refresh(row)
    assert (row.name, row.status) == ("Tides and more", "active")
    assert db.session.scalar(select(func.max(Revision.number))) == 3


@pytest.mark.usefixtures("app")
def test_a_publisher_who_edited_the_profile_keeps_it(write: Callable[..., Path]) -> None:
    file = write(publisher(tagline="From the file"))
    import_catalogue(file)
    row = db.session.scalars(select(Organization)).one()
    row.tagline = "Edited here"
    db.session.commit()
    assert counts(import_catalogue(file), "publisher") == (0, 0, 1, 0)
    report = import_catalogue(write(publisher(tagline="A newer file")))
    assert counts(report, "publisher") == (0, 0, 0, 1)
    db.session.refresh(row)
    assert row.tagline == "Edited here"
    import_catalogue(write(publisher(tagline="A newer file")), overwrite=True)
    db.session.refresh(row)
    assert row.tagline == "A newer file"


@pytest.mark.usefixtures("app")
def test_a_changed_line_changes_what_it_says_and_keeps_what_it_does_not_say(
    write: Callable[..., Path],
) -> None:
    import_catalogue(
        write(
            category(),
            publisher(verified=True),
            listing(certified=True, published_on="2025-01-15", source="hand"),
        )
    )
    report = import_catalogue(
        write(
            category(name="Wind"),
            publisher(name="Harbour Works"),
            listing(versions=[{"version": "1.0", "released_on": "2026-01-01"}]),
        )
    )
    assert counts(report) == (0, 1, 0, 0)
    assert counts(report, "publisher") == (0, 1, 0, 0)
    assert counts(report, "category") == (0, 1, 0, 0)
    row = db.session.scalars(select(Listing)).one()
    assert row.certified_at is not None
    assert row.source == "hand"
    assert str(row.published_at) == "2025-01-15 00:00:00+00:00"
    assert row.publisher.name == "Harbour Works"
    assert row.publisher.verified_at is not None
    assert [version.version for version in row.versions] == ["1.0"]
    # The content did not change: no new revision.
    assert db.session.scalar(select(func.count()).select_from(Revision)) == 1


@pytest.mark.usefixtures("app")
def test_nobody_elses_listing_or_organization_is_taken_over(write: Callable[..., Path]) -> None:
    make_organization("Blue Kite", OrganizationKind.CUSTOMER, slug="blue-kite")
    db.session.commit()
    import_catalogue(write(category(), publisher(), listing()))
    report = import_catalogue(
        write(
            publisher("blue-kite"),
            publisher("other"),
            listing(publisher="other"),
            listing("kite", publisher="blue-kite"),
        )
    )
    told = {(problem.line, problem.field): problem.reason for problem in report.problems}
    assert told == {
        (1, "slug"): "blue-kite is not a partner here",
        (3, "slug"): "It belongs to a listing of harbour here",
        (4, "publisher"): "There is no publisher blue-kite",
    }


@pytest.mark.usefixtures("app")
def test_an_old_slug_leads_to_the_renamed_listing(write: Callable[..., Path]) -> None:
    file = write(category(), publisher(), listing())
    import_catalogue(file)
    row = db.session.scalars(select(Listing)).one()
    row.slug = "tide-tables"
    db.session.add(SlugRedirect(slug="tides", listing_id=row.id))
    db.session.commit()
    assert counts(import_catalogue(file)) == (0, 0, 1, 0)


@pytest.mark.usefixtures("app")
def test_a_missing_successor_is_told_and_the_listing_goes_in(write: Callable[..., Path]) -> None:
    report = import_catalogue(
        write(category(), publisher(), listing(status="deprecated", successor="nowhere"))
    )
    assert counts(report) == (1, 0, 0, 0)
    assert [str(problem) for problem in report.problems] == [
        "line 3, successor: There is no listing nowhere (left out)"
    ]


@pytest.mark.usefixtures("app")
def test_drafts_and_what_is_suspended_are_not_exported(
    write: Callable[..., Path], tmp_path: Path
) -> None:
    import_catalogue(write(category(), publisher(), listing("aa"), listing("bb"), listing("cc")))
    rows = {row.slug: row for row in db.session.scalars(select(Listing))}
    rows["aa"].suspended_at = rows["aa"].published_at
    rows["bb"].published_at = None
    db.session.commit()
    file = tmp_path / "export.jsonl"
    assert export_catalogue(file).listings == 1
    assert [json.loads(line)["slug"] for line in file.read_text().splitlines()][-1] == "cc"


class _KilledError(Exception):
    pass


@pytest.mark.usefixtures("app")
def test_an_import_that_is_killed_leaves_whole_batches_and_goes_on_when_run_again(
    write: Callable[..., Path],
) -> None:
    file = write(category(), publisher(), *(listing(f"tides-{n}") for n in range(450)))

    def kill(report: ImportReport) -> None:
        if report.count("listing", Outcome.CREATED) == 400:
            raise _KilledError

    with pytest.raises(_KilledError):
        import_catalogue(file, progress=kill)
    db.session.rollback()
    assert db.session.scalar(select(func.count()).select_from(Listing)) == 400
    assert db.session.scalar(select(func.count()).select_from(Revision)) == 400
    assert counts(import_catalogue(file)) == (50, 0, 400, 0)


@pytest.mark.usefixtures("app")
def test_a_batch_costs_the_same_number_of_reads_however_many_lines_it_has(
    write: Callable[..., Path],
) -> None:
    import_catalogue(write(category(), publisher(), *(listing(f"a-{n}") for n in range(60))))
    few = write(category(), publisher(), *(listing(f"a-{n}") for n in range(3)), name="few")
    many = write(category(), publisher(), *(listing(f"a-{n}") for n in range(60)), name="many")
    with _counted() as first:
        import_catalogue(few)
    with _counted() as second:
        import_catalogue(many)
    assert len(first) == len(second)


class _counted:  # noqa: N801 - reads as a function
    def __enter__(self) -> list[str]:
        self.statements: list[str] = []
        event.listen(db.engine, "before_cursor_execute", self._note)
        return self.statements

    def __exit__(self, *_error: object) -> None:
        event.remove(db.engine, "before_cursor_execute", self._note)

    def _note(self, _c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        self.statements.append(statement)


def connector_lines() -> Iterator[dict[str, Any]]:
    for number in range(5):
        yield {
            "id": f"Connector {number}",
            "source": f"certified/{number}",
            "kind": "certified",
            "name": "Snowflake" if number < 2 else f"Connector {number}",
            "description": "Reads and writes tables of the warehouse, on a schedule or at once.",
            "publisher": "" if number == 4 else "Snowflake Inc.",
            "stack_owner": "",
            "categories": ["Data", "odd"],
            "website": "",
            "privacy_policy": "",
            "support_url": "",
            "auth": [],
            "scopes": [],
            "brand_color": "",
            "version": "1.0",
            "actions": 3,
            "triggers": 0,
            "readme": "# X\n",
        }


@pytest.mark.usefixtures("app")
def test_a_connectors_file_is_recognised_and_the_second_time_changes_nothing(
    write: Callable[..., Path],
) -> None:
    file = write(*connector_lines())
    report = import_catalogue(file)
    assert report.format == "connectors"
    assert counts(report) == (5, 0, 0, 0)
    slugs = list(db.session.scalars(select(Listing.slug).order_by(Listing.slug)))
    assert slugs == [
        "connector-2",
        "connector-3",
        "connector-4",
        "snowflake",
        "snowflake-snowflake-inc",
    ]
    assert counts(import_catalogue(file)) == (0, 0, 5, 0)
    reversed_file = write(*reversed(list(connector_lines())), name="reversed.jsonl")
    assert counts(import_catalogue(reversed_file)) == (0, 0, 5, 0)


@pytest.mark.usefixtures("app")
def test_connectors_leave_categories_and_publishers_that_exist_alone(
    write: Callable[..., Path],
) -> None:
    import_catalogue(
        write(
            category("data", name="All our data"),
            publisher("snowflake-inc", tagline="Written by hand"),
            name="own.jsonl",
        )
    )
    make_organization("Connector 4", OrganizationKind.CUSTOMER, slug="connector-4")
    db.session.commit()
    report = import_catalogue(write(*connector_lines()))
    assert counts(report) == (5, 0, 0, 0)
    data = db.session.scalars(select(Category).where(Category.slug == "data")).one()
    assert data.name == "All our data"
    rows = {row.slug: row for row in db.session.scalars(select(Organization))}
    assert rows["snowflake-inc"].tagline == "Written by hand"
    assert rows["connector-4-partner"].kind is OrganizationKind.PARTNER
