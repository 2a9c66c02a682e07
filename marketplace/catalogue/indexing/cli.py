"""`flask --app wsgi search rebuild | verify | status | evaluate`."""

import json
import sys
from dataclasses import asdict
from pathlib import Path

import click
from flask.cli import AppGroup

from marketplace.catalogue.indexing import services
from marketplace.catalogue.indexing.spec import SPECS
from search.engine import SearchUnavailable
from search.evaluation import table

search_group = AppGroup("search", help="The search index.")


@search_group.command("rebuild")
def rebuild_command() -> None:
    """Build the index anew from the database; searches go on meanwhile."""
    try:
        for spec in SPECS:
            report = services.rebuild(spec, _meter)
            _end()
            rate = report.documents / max(report.seconds, 0.001)
            click.echo(
                f"{report.index}: {report.documents:,} documents in {report.seconds:.1f} s "
                f"({rate:,.0f} a second)."
            )
            for identity, reason in report.rejected.items():
                click.echo(f"{report.index} {identity} was not taken: {reason}", err=True)
    except SearchUnavailable as error:
        raise click.ClickException(f"Search does not answer: {error.reason}.") from None


@search_group.command("verify")
@click.option("--mend/--no-mend", default=True, help="Undo the drift.", show_default=True)
def verify_command(mend: bool) -> None:
    """Compare the index with the database; exit 1 when they differed and were not mended."""
    drifted = False
    try:
        for spec in SPECS:
            drift = services.verify(spec, mend=mend, progress=_meter)
            _end()
            if drift.clean:
                click.echo(f"{spec.name}: {drift.documents:,} documents, all as they should be.")
                continue
            drifted = True
            click.echo(
                f"{spec.name}: {len(drift.missing)} missing, {len(drift.changed)} changed, "
                f"{len(drift.extra)} too many{'; mended' if mend else ''}."
            )
    except SearchUnavailable as error:
        hint = " Run `flask search rebuild`." if error.rebuild else ""
        raise click.ClickException(f"Search does not answer: {error.reason}.{hint}") from None
    if drifted and not mend:
        raise SystemExit(1)


@search_group.command("evaluate")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def evaluate_command(file: Path, as_json: bool) -> None:
    """Ask the judged queries of FILE (JSON Lines) and print how well they are answered."""
    try:
        evaluation = services.evaluate(file)
    except ValueError as error:
        raise click.ClickException(f"{error}.") from None
    except SearchUnavailable as error:
        raise click.ClickException(f"Search does not answer: {error.reason}.") from None
    if as_json:
        figures = {kind: asdict(each) for kind, each in evaluation.figures.items()}
        click.echo(json.dumps(figures, indent=1))
    else:
        click.echo(table(evaluation.figures))
    for query in evaluation.left_out:
        click.echo(f"{query!r}: what it means is not in the catalogue, left out", err=True)


@search_group.command("status")
def status_command() -> None:
    """The engine and the state of its indexes; exit 1 when one does not answer."""
    click.echo(f"Engine: {services.engine().name}")
    ok = True
    for row in services.status():
        size = f", {row['bytes'] / 1_000_000:.1f} MB" if row["bytes"] else ""
        reason = f" ({row['reason']})" if row["reason"] else ""
        click.echo(f"{row['index']}: {row['state']}, {row['documents']:,} documents{size}{reason}")
        ok = ok and row["state"] in {"ready", "created"}
    if not ok:
        raise SystemExit(1)


def _meter(index: str, count: int) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r{index}: {count:,} documents", err=True, nl=False)


def _end() -> None:
    if sys.stderr.isatty():
        click.echo("", err=True)
