"""`flask --app wsgi catalogue import | export`."""

import sys
import time
from pathlib import Path

import click
from flask.cli import AppGroup
from sqlalchemy.exc import OperationalError

from marketplace.catalogue.exchange.services import (
    ImportReport,
    export_catalogue,
    import_catalogue,
)
from marketplace.catalogue.exchange.services.report import Outcome
from marketplace.catalogue.exchange.sources import FORMATS, Format
from marketplace.core.errors import UnavailableError

catalogue_group = AppGroup("catalogue", help="The catalogue as a file.")
SHOWN_PROBLEMS = 200


@catalogue_group.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--format", "form", type=click.Choice(FORMATS), help="Detected from the first line by default."
)
@click.option("--dry-run", is_flag=True, help="Check everything, write nothing.")
@click.option("--overwrite", is_flag=True, help="Replace what was edited here since its import.")
@click.option("--strict", is_flag=True, help="Exit with status 1 when a line was refused.")
def import_command(
    file: Path, form: Format | None, dry_run: bool, overwrite: bool, strict: bool
) -> None:
    """Read FILE (JSON Lines, see docs/catalogue-format.md) into the catalogue.

    Lines that cannot be used are named with the reason; all others go in. Running it again
    changes nothing.
    """
    meter = _Meter()
    try:
        report = import_catalogue(
            file, form=form, dry_run=dry_run, overwrite=overwrite, progress=meter.show
        )
    except OSError as error:
        raise click.ClickException(f"{file} cannot be read: {error.strerror}.") from None
    except (OperationalError, UnavailableError) as error:
        raise click.ClickException(
            f"The import stopped: {type(error).__name__}. What was imported until here stays; "
            "run it again to go on."
        ) from error
    meter.end()
    _print_report(report)
    if strict and report.total(Outcome.REFUSED):
        raise SystemExit(1)


@catalogue_group.command("export")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def export_command(file: Path) -> None:
    """Write the public catalogue to FILE and its images to the folder media beside it."""
    try:
        report = export_catalogue(file.absolute())
    except OSError as error:
        raise click.ClickException(f"{file} cannot be written: {error.strerror}.") from None
    for path in report.missing:
        click.echo(f"{path}: the image is missing in the storage", err=True)
    click.echo(
        f"{report.categories} categories, {report.publishers} publishers, "
        f"{report.listings} listings and {report.images} images written to {file}."
    )


class _Meter:
    """Progress on standard error: one line that renews itself on a terminal, a line now and
    then elsewhere."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._last = 0.0
        self._open = False

    def show(self, report: ImportReport) -> None:
        """Show how far the import is, at most a few times a second."""
        terminal = sys.stderr.isatty()
        now = time.monotonic()
        if now - self._last < (0.2 if terminal else 5.0):
            return
        self._last = now
        rate = report.lines / max(now - self._started, 0.001)
        text = f"{report.lines:,} lines, {rate:,.0f} a second"
        click.echo(f"\r{text}   " if terminal else text, err=True, nl=not terminal)
        self._open = terminal

    def end(self) -> None:
        """Finish the line."""
        if self._open:
            click.echo("", err=True)


def _print_report(report: ImportReport) -> None:
    for problem in report.problems[:SHOWN_PROBLEMS]:
        click.echo(str(problem), err=True)
    hidden = len(report.problems) - SHOWN_PROBLEMS
    if hidden > 0:
        click.echo(f"and {hidden:,} more", err=True)
    if report.dry_run:
        click.echo("Dry run, nothing was written. This would happen:")
    click.echo(f"{'':<10}{'created':>9}{'updated':>9}{'unchanged':>11}{'refused':>9}")
    for kind, created, updated, unchanged, refused in report.rows():
        click.echo(f"{kind:<10}{created:>9,}{updated:>9,}{unchanged:>11,}{refused:>9,}")
    rate = report.lines / max(report.seconds, 0.001)
    click.echo(
        f"{report.lines:,} records of a {report.format} file in {report.seconds:.1f} s "
        f"({rate:,.0f} a second)."
    )
