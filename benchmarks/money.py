"""The money: ledger, payout runs, statements, reconciliation, Stripe's events.

    python -m benchmarks.money

Runs each measurement as a process of its own, prints a table and keeps the figures as JSON in
benchmarks/results/. The exit status is 1 when an aim is missed.
"""

import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from marketplace.config import ROOT

RESULTS = Path(__file__).parent / "results"
SECTIONS = ("ledger", "payouts", "statements", "reconciliation", "stripe_events")


def main() -> int:
    """Measure all of it."""
    found = measure_money()
    at = datetime.now(UTC).isoformat(timespec="seconds")
    result = {
        "measured_at": at,
        "machine": {
            "processors": os.cpu_count(),
            "python": platform.python_version(),
            "load_before": round(os.getloadavg()[0], 1),
        },
        "money": found,
    }
    RESULTS.mkdir(parents=True, exist_ok=True)
    path = RESULTS / f"money-{at.replace(':', '').replace('+0000', 'Z')}.json"
    path.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(table(found))
    print(f"\nWritten to {path.relative_to(ROOT)}")
    return 0 if all(each["status"] == 0 for each in found.values()) else 1


def measure_money() -> dict[str, Any]:
    """The figures of each section, with the exit status of its program."""
    found = {}
    for name in SECTIONS:
        print(f"  {name} ...", flush=True)
        done = subprocess.run(  # noqa: S603 - our own modules, no shell
            [sys.executable, "-m", f"benchmarks.{name}"],
            cwd=ROOT,
            check=False,
            capture_output=True,
            text=True,
        )
        try:
            figures = json.loads(done.stdout)
        except ValueError:
            raise SystemExit(f"benchmarks.{name} failed:\n{done.stderr[-3_000:]}") from None
        found[name] = {"status": done.returncode, **figures}
    return found


def table(found: Mapping[str, Any]) -> str:
    """Every single figure for people, in the order in which it was measured."""
    return "\n".join(
        label.ljust(56) + cell.rjust(16)
        for name, figures in found.items()
        for label, cell in _rows(name, figures)
    )


def _rows(name: str, figures: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key, value in figures.items():
        label = f"{name} {key}".replace("_", " ")
        if isinstance(value, dict):
            yield from _rows(f"{name} {key}", value)
        elif isinstance(value, float):
            yield label, f"{value:,.2f}"
        else:
            yield label, f"{value:,}" if isinstance(value, int) else str(value)


if __name__ == "__main__":
    raise SystemExit(main())
