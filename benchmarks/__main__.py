"""`python -m benchmarks`: measure, print a table, keep the figures as JSON.

    python -m benchmarks            1k and 10k listings, a few minutes
    python -m benchmarks --full     100k as well
    python -m benchmarks --sizes 1000
    python -m benchmarks.api        the platform API alone
    python -m benchmarks.webhooks   webhooks alone
    python -m benchmarks.money      the money alone

PORTICO_CONNECTORS names a connectors file to measure on; else it is the demo catalogue.
"""

import argparse
import contextlib
import json
import os
import platform
import random
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.api import table as platform_api_table
from benchmarks.corpus import SEED, mixed_queries
from benchmarks.load import Load, drive
from benchmarks.money import measure_money
from benchmarks.money import table as money_table
from marketplace.config import ROOT

RESULTS = Path(__file__).parent / "results"
SECONDS_A_PAGE = 4.0
THREADS = 4


def main() -> int:
    """Measure each size; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("--full", action="store_true", help="100,000 listings as well")
    parser.add_argument("--sizes", type=int, nargs="+", help="listings, for example 1000 10000")
    options = parser.parse_args()
    sizes = options.sizes or ([1_000, 10_000, 100_000] if options.full else [1_000, 10_000])
    source = os.environ.get("PORTICO_CONNECTORS")
    result: dict[str, Any] = {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {
            "processors": os.cpu_count(),
            "python": platform.python_version(),
            "sqlite": sqlite3.sqlite_version,
            "load_before": round(os.getloadavg()[0], 1),
        },
        "source": "connectors" if source else "demo catalogue",
        "sizes": {},
    }
    print(f"Measuring on the {result['source']}, {', '.join(f'{n:,}' for n in sizes)} listings.")
    for size in sizes:
        with tempfile.TemporaryDirectory(prefix="portico-bench-") as folder:
            result["sizes"][str(size)] = _measure(size, Path(folder))
    result["growth"] = _growth(result["sizes"])
    result["webhooks"] = _section("benchmarks.webhooks")
    result["platform_api"] = _section("benchmarks.api")
    result["money"] = measure_money()
    RESULTS.mkdir(parents=True, exist_ok=True)
    text = json.dumps(result, indent=1) + "\n"
    stamp = result["measured_at"].replace(":", "").replace("+0000", "Z")
    for name in (f"{stamp}.json", "latest.json"):
        (RESULTS / name).write_text(text, encoding="utf-8")
    print(_table(result))
    print(_webhook_table(result["webhooks"]))
    print(platform_api_table(result["platform_api"]))
    print(money_table(result["money"]))
    print(f"\nWritten to {(RESULTS / f'{stamp}.json').relative_to(ROOT)}")
    return 0


def _measure(size: int, folder: Path) -> dict[str, Any]:
    environment = _environment(folder)
    started = time.monotonic()
    print(f"  {size:,}: import, rebuild, search ...", flush=True)
    done = subprocess.run(  # noqa: S603 - our own module, no shell
        [sys.executable, "-m", "benchmarks.measure", str(size), str(folder)],
        cwd=ROOT,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise SystemExit(f"Measuring {size:,} listings failed:\n{done.stderr[-4_000:]}")
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    print(f"  {size:,}: pages over HTTP ...", flush=True)
    with _served(environment) as (port, pid):
        found["memory_mb_started"] = _resident_mb(pid)
        found["pages"] = _pages(port, folder)
        found["memory_mb"] = _resident_mb(pid)
    found["seconds"] = round(time.monotonic() - started, 1)
    return found


def _section(module: str) -> dict[str, Any]:
    """What a measurement prints that is a program of its own, and stands in no size."""
    print(f"  {module.rpartition('.')[2]} ...", flush=True)
    done = subprocess.run(  # noqa: S603 - our own module, no shell
        [sys.executable, "-m", module], cwd=ROOT, check=False, capture_output=True, text=True
    )
    if done.returncode:
        raise SystemExit(f"{module} failed:\n{done.stdout[-2_000:]}\n{done.stderr[-2_000:]}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _environment(folder: Path) -> dict[str, str]:
    kept = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("OIDC_", "SMTP_", "S3_"))
    }
    return {
        **kept,
        "PORTICO_ENV": "demo",
        "DATA_DIR": str(folder),
        "DATABASE_URL": f"sqlite:///{folder}/portico.db",
        "PUBLIC_URL": "http://127.0.0.1:8000",
        "SECRET_KEY": "a-key-for-measuring-that-guards-nothing",
        "MAIL_BACKEND": "file",
        "MEILISEARCH_URL": "",
        "REDIS_URL": "",
        "OIDC_PROVIDERS": "",
        "RATE_LIMIT_API": "100000000 per minute",
    }


@contextlib.contextmanager
def _served(environment: Mapping[str, str]) -> Iterator[tuple[int, int]]:
    """One gunicorn worker; its port and the worker's process id."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "gunicorn", "--no-control-socket", "-w", "1"]
    command += ["--threads", str(THREADS), "-b", f"127.0.0.1:{port}", "benchmarks.site:app"]
    server = subprocess.Popen(  # noqa: S603 - our own command, no shell
        command,
        cwd=ROOT,
        env=dict(environment),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_until_up(port, server)
        yield port, _worker_of(server.pid)
    finally:
        server.terminate()
        try:
            server.wait(timeout=10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _wait_until_up(port: int, server: "subprocess.Popen[bytes]") -> None:
    for _ in range(150):
        if server.poll() is not None:
            raise SystemExit("The server to measure did not start.")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise SystemExit("The server to measure does not answer.")


def _worker_of(parent: int) -> int:
    children = Path(f"/proc/{parent}/task/{parent}/children")
    if not children.exists():
        return parent
    found = children.read_text().split()
    return int(found[0]) if found else parent


def _resident_mb(pid: int) -> float | None:
    """Resident memory of a process in MB; None where the system does not tell."""
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        return None
    for line in status.read_text().splitlines():
        if line.startswith("VmRSS:"):
            return round(int(line.split()[1]) / 1024, 1)
    return None


def _pages(port: int, folder: Path) -> dict[str, Any]:
    rows = _sample(folder)
    names, taglines = [row[1] for row in rows], [row[2] for row in rows]
    rng = random.Random(SEED)
    slugs = [row[0] for row in rng.sample(rows, min(200, len(rows)))]
    searches = [urllib.parse.urlencode(query) for query in mixed_queries(names, taglines, 200)]
    paths = {
        "bare": ["/bare/"],
        "home": ["/"],
        "search": [f"/search?{query}" for query in searches],
        "listing": [f"/listings/{slug}" for slug in slugs],
        "api": [f"/api/v1/listings?{query}" for query in searches],
    }
    loads: dict[str, Load] = {}
    for name, wanted in paths.items():
        drive(port, wanted, seconds=0.5, threads=THREADS)
        loads[name] = drive(port, wanted, seconds=SECONDS_A_PAGE, threads=THREADS)
    bare = loads["bare"].per_second
    return {
        name: {
            "requests_per_second": round(load.per_second, 1),
            "to_bare": round(load.per_second / bare, 3),
            **load.times.as_json(),
            "failed": load.failed,
        }
        for name, load in loads.items()
    }


def _sample(folder: Path) -> list[tuple[str, str, str]]:
    with contextlib.closing(sqlite3.connect(folder / "portico.db")) as connection:
        return connection.execute(
            "SELECT slug, name, tagline FROM listing ORDER BY id LIMIT 5000"
        ).fetchall()


def _growth(sizes: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """How the figures change from the smallest to the largest catalogue."""
    ordered = sorted(sizes, key=int)
    if len(ordered) < 2:
        return {}
    small, large = sizes[ordered[0]], sizes[ordered[-1]]
    return {
        "listings": round(large["listings"] / small["listings"], 1),
        "engine_p50": round(large["engine"]["p50_ms"] / small["engine"]["p50_ms"], 2),
        "api_p50": round(large["api"]["p50_ms"] / small["api"]["p50_ms"], 2),
        "import_rate": round(large["import_per_second"] / small["import_per_second"], 2),
        "rebuild_rate": round(large["rebuild_per_second"] / small["rebuild_per_second"], 2),
        "search_page_rate": round(
            large["pages"]["search"]["requests_per_second"]
            / small["pages"]["search"]["requests_per_second"],
            2,
        ),
    }


def _table(result: Mapping[str, Any]) -> str:
    sizes = result["sizes"]
    rows: list[tuple[str, list[str]]] = []

    def add(label: str, *keys: str, form: str = "{:,.1f}") -> None:
        cells = []
        for found in sizes.values():
            value: Any = found
            for key in keys:
                value = value.get(key) if isinstance(value, dict) else None
            cells.append("" if value is None else form.format(value))
        rows.append((label, cells))

    add("listings", "listings", form="{:,}")
    add("import, records a second", "import_per_second", form="{:,.0f}")
    add("  the same file again", "import_again_per_second", form="{:,.0f}")
    add("rebuild, documents a second", "rebuild_per_second", form="{:,.0f}")
    add("bare engine call, p50 ms", "engine", "p50_ms", form="{:.2f}")
    add("  p95 ms", "engine", "p95_ms", form="{:.2f}")
    add("/api/v1/listings, p50 ms", "api", "p50_ms", form="{:.2f}")
    add("  p95 ms", "api", "p95_ms", form="{:.2f}")
    add("  to the bare engine call, p50", "api_to_engine", "p50", form="{:.2f} x")
    add("  with search switched off, p50 ms", "api_search_off", "p50_ms", form="{:.2f}")
    for page in ("bare", "home", "search", "listing", "api"):
        add(f"{page} page, requests a second", "pages", page, "requests_per_second")
        if page != "bare":
            add("  to a bare Flask page", "pages", page, "to_bare", form="{:.3f} x")
    for page in ("home", "search", "listing", "api"):
        add(f"{page} page, database queries", "queries_a_page", page, form="{:,}")
    add("memory of a worker, MB", "memory_mb")
    add("relevance: MRR", "relevance", "all", "mrr", form="{:.3f}")
    add("  exact names first", "relevance", "exact name", "first", form="{:.3f}")
    add("  typos in the top 3", "relevance", "typo", "top3", form="{:.3f}")
    add("seconds to measure", "seconds", form="{:,.0f}")
    width = max(len(label) for label, _cells in rows) + 2
    return "\n".join(
        label.ljust(width) + "".join(cell.rjust(14) for cell in cells) for label, cells in rows
    )


def _webhook_table(found: Mapping[str, Any]) -> str:
    rows = [
        ("webhook deliveries", f"{found['deliveries']:,}"),
        ("  lost", f"{found['lost']:,}"),
        ("  sent to a disabled endpoint", f"{found['sent_to_disabled']:,}"),
        ("  a second, fine endpoints", f"{found['fine_per_second_without_slow']:,.0f}"),
        ("  to bare posts of the same client", f"{found['to_bare_posts']:.3f} x"),
        ("  fine p95 with slow ones to without", f"{found['fine_p95_with_to_without']:.2f} x"),
        ("  a single event, p50 ms", f"{found['single_event_ms']['p50_ms']:,.0f}"),
        ("    beside slow ones", f"{found['single_event_ms_beside_slow']['p50_ms']:,.0f}"),
    ]
    return "\n".join(label.ljust(40) + cell.rjust(14) for label, cell in rows)


if __name__ == "__main__":
    raise SystemExit(main())
