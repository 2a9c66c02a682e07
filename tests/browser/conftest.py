"""The whole demo as its own processes, and a real Chromium before it.

The demo is what `make demo` starts: the site, a worker, the sign-in provider, the demo catalogue.
Each worker of the test run starts one, on ports of its own.
"""

import contextlib
import os
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

START_SECONDS = 120
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


@dataclass(frozen=True)
class Demo:
    """A running demo."""

    url: str
    folder: Path


def _three_free_ports(worker: str) -> int:
    # Workers look in ranges of their own: two that look at once would choose the same port.
    number = int(worker.removeprefix("gw")) if worker.startswith("gw") else 0
    first_port = 21_000 + 200 * (number % 40)
    for port in range(first_port, first_port + 198, 3):
        with contextlib.ExitStack() as probes:
            try:
                for each in range(port, port + 3):
                    probes.enter_context(socket.socket()).bind(("127.0.0.1", each))
            except OSError:
                continue
            return port
    raise RuntimeError("no three free ports in a row")


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Demo]:
    """The demo on a free port, with data of its own; with DEMO_URL one that runs already, which
    saves its start while a test is being written."""
    chromium()
    if os.environ.get("DEMO_URL"):
        yield Demo(os.environ["DEMO_URL"], Path(os.environ.get("DEMO_DATA_DIR", "instance/demo")))
        return
    folder = tmp_path_factory.mktemp("demo")
    port = _three_free_ports(worker_id)
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
    yield Demo(url, folder)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=30) == 0, "the demo did not stop cleanly on Ctrl-C"


@pytest.fixture(scope="session")
def browser(demo: Demo) -> Iterator[Browser]:
    """A headless Chromium."""
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium(), args=CHROMIUM_OPTIONS)
        yield running
        running.close()


@pytest.fixture
def new_page(browser: Browser, demo: Demo) -> Iterator[Callable[..., Page]]:
    """`new_page(width=1280, dark=False, javascript=True)` opens a page nobody has signed in on."""
    contexts: list[BrowserContext] = []

    def open_page(*, width: int = 1280, dark: bool = False, javascript: bool = True) -> Page:
        context = browser.new_context(
            base_url=demo.url,
            viewport={"width": width, "height": 900},
            color_scheme="dark" if dark else "light",
            java_script_enabled=javascript,
            reduced_motion="reduce",
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
