"""The whole demo as its own processes, and a real Chromium before it.

The demo is what `make demo` starts: the site, a worker, the sign-in provider, the demo catalogue.
One worker of the test run loads it; each starts a copy of its own, on ports of its own.
"""

import contextlib
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from marketplace.config import ROOT
from tests.parts import chromium

START_SECONDS = 300
CHROMIUM_OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


# What a request was answered is for the tests to judge, and a page that is left aborts its own.
ANSWERS = ("Failed to load resource", "htmx:sendAbort", "htmx:sendError", "htmx:responseError")
# Right after its start the demo is busy with its first jobs.
expect.set_options(timeout=15_000)


PERSON = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0"


@dataclass(frozen=True)
class Demo:
    """A running demo."""

    url: str
    folder: Path


def _free_ports(worker: str) -> int:
    # Workers look in ranges of their own: two that look at once would choose the same port.
    number = int(worker.removeprefix("gw")) if worker.startswith("gw") else 0
    first_port = 21_000 + 200 * (number % 40)
    for port in range(first_port, first_port + 196, 4):
        with contextlib.ExitStack() as probes:
            try:
                for each in range(port, port + 4):
                    probes.enter_context(socket.socket()).bind(("127.0.0.1", each))
            except OSError:
                continue
            return port
    raise RuntimeError("no four free ports in a row")


@contextlib.contextmanager
def _running(folder: Path, worker: str) -> Iterator[Demo]:
    """The demo over that folder's data, from its start to Ctrl-C."""
    port = _free_ports(worker)
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith(("TEST_", "MEILISEARCH_"))},
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "DATA_DIR": str(folder),
    }
    said = folder / "output.txt"
    with said.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "marketplace.demo"],
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    url = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + START_SECONDS
    while True:
        if process.poll() is not None:
            told = [
                path.read_text()[-3_000:] for path in (said, folder / "demo.log") if path.exists()
            ]
            pytest.fail("the demo stopped before it was up:\n" + "\n".join(told))
        try:
            with urllib.request.urlopen(f"{url}/healthz", timeout=2):
                break
        except OSError:
            if time.monotonic() > deadline:
                process.kill()
                pytest.fail(f"the demo was not up within {START_SECONDS} s")
            time.sleep(0.3)
    try:
        yield Demo(url, folder)
    finally:
        process.send_signal(signal.SIGINT)
        status = process.wait(timeout=30)
    assert status == 0, "the demo did not stop cleanly on Ctrl-C"


@pytest.fixture(scope="session")
def loaded_demo(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """The data of a demo that was loaded and stopped: to be copied, never to be changed."""
    chromium()
    alone = worker_id == "master"
    shared = tmp_path_factory.getbasetemp() if alone else tmp_path_factory.getbasetemp().parent
    folder, done = shared / "loaded-demo", shared / "loaded-demo.done"
    with (shared / "loaded-demo.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            with _running(folder, worker_id):
                pass
            done.touch()
    return folder


@pytest.fixture(scope="session")
def demo(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, worker_id: str
) -> Iterator[Demo]:
    """The demo on a free port, with data of its own; with DEMO_URL one that runs already, which
    saves its start while a test is being written."""
    if os.environ.get("DEMO_URL"):
        chromium()
        yield Demo(os.environ["DEMO_URL"], Path(os.environ.get("DEMO_DATA_DIR", "instance/demo")))
        return
    folder = tmp_path_factory.mktemp("demo") / "data"
    shutil.copytree(request.getfixturevalue("loaded_demo"), folder)
    with _running(folder, worker_id) as running:
        yield running


@pytest.fixture
def fresh_demo(loaded_demo: Path, tmp_path: Path, worker_id: str) -> Iterator[Demo]:
    """A demo that no other test sees, for one that changes what all of its people see."""
    folder = tmp_path / "data"
    shutil.copytree(loaded_demo, folder)
    with _running(folder, worker_id) as running:
        yield running


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A headless Chromium."""
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM_OPTIONS)
        yield running
        running.close()


@pytest.fixture
def new_page(browser: Browser, demo: Demo) -> Iterator[Callable[..., Page]]:
    """`new_page(width=1280, dark=False, javascript=True)` opens a page nobody has signed in on.

    `person`: the browser does not say that it is a machine, whose clicks bring nobody.
    """
    contexts: list[BrowserContext] = []

    def open_page(
        *, width: int = 1280, dark: bool = False, javascript: bool = True, person: bool = False
    ) -> Page:
        context = browser.new_context(
            base_url=demo.url,
            viewport={"width": width, "height": 900},
            color_scheme="dark" if dark else "light",
            java_script_enabled=javascript,
            reduced_motion="reduce",
            user_agent=PERSON if person else None,
        )
        context.set_default_timeout(15_000)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on(
            "console",
            lambda message: (
                errors.append(message.text)
                if message.type == "error" and not message.text.startswith(ANSWERS)
                else None
            ),
        )
        return page

    errors: list[str] = []
    yield open_page
    for context in contexts:
        context.close()
    assert errors == [], "the browser's console has errors"


@pytest.fixture
def page(new_page: Callable[..., Page]) -> Page:
    """A page at 1280 px, nobody signed in."""
    return new_page()
