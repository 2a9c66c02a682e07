"""A measurement in a process and on a database of its own, so that memory is counted from the same
start and nothing of an earlier size is left."""

import json
import os
import subprocess
import sys
import tempfile
from typing import Any

from marketplace.config import ROOT


def measured_in_a_process(module: str, option: str, size: int) -> dict[str, Any]:
    """What `python -m <module> <option> <size>` prints in its last line, as JSON."""
    with tempfile.TemporaryDirectory(prefix="portico-bench-") as folder:
        environment = os.environ | {
            "PORTICO_ENV": "demo",
            "DATA_DIR": folder,
            "DATABASE_URL": f"sqlite:///{folder}/portico.db",
            "LOG_FORMAT": "console",
            "MEILISEARCH_URL": "",
            "REDIS_URL": "",
            "OIDC_PROVIDERS": "",
        }
        done = subprocess.run(  # noqa: S603 - our own modules, no shell
            [sys.executable, "-m", module, option, str(size)],
            cwd=ROOT,
            env=environment,
            check=False,
            capture_output=True,
            text=True,
        )
    if done.returncode:
        raise SystemExit(f"Measuring {size:,} failed:\n{done.stderr[-4_000:]}")
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found
