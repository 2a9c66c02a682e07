"""`make demo`: prepare the demo and serve it until Ctrl-C.

Five processes on this machine: the site (gunicorn), a worker that runs the jobs, a demo sign-in
provider, so that signing in is the real OpenID Connect flow, a partner's app that can be installed
(examples/sample_app), and a stand-in for Stripe. Everything that is kept lies in the folder
instance/demo (or DATA_DIR).
"""

import ctypes
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from types import FrameType

from marketplace.config import ROOT
from marketplace.demo.trading import STORE

FOLDER = Path(os.environ.get("DATA_DIR") or ROOT / "instance" / "demo").resolve()
START_TIMEOUT_SECONDS = 180
# The stand-in for Stripe takes orders from anybody, so no other machine may reach it.
LOOPBACK = "127.0.0.1"
PR_SET_PDEATHSIG = 1


def main() -> int:
    """Prepare and serve; the exit status."""
    host = os.environ.get("HOST", "127.0.0.1")
    try:
        port = int(os.environ.get("PORT", "8000"))
    except ValueError:
        return _fail(f"PORT is {os.environ['PORT']!r}, which is not a number.")
    if not 1 <= port <= 65_532:
        return _fail(f"PORT is {port}; use a number from 1 to 65532.")
    parts = (
        (host, port, "The demo"),
        (host, port + 1, "Its sign-in provider"),
        (host, port + 2, "Its sample app"),
        (LOOPBACK, port + 3, "Its stand-in for Stripe"),
    )
    for where, number, what in parts:
        problem = _why_taken(where, number)
        if problem:
            return _fail(
                f"{what} cannot listen on {where}:{number}: {problem}.\n"
                f"Choose another port, for example: make demo PORT={port + 1000}"
            )
    environment = demo_environment(host, port)
    print("Preparing the demo catalogue ...", flush=True)  # noqa: T201 - speaks to the person at the terminal
    for command in (["db", "upgrade"], ["demo", "load"]):
        done = subprocess.run(  # noqa: S603 - our own command, no shell
            [sys.executable, "-m", "flask", "--app", "wsgi", *command],
            cwd=ROOT,
            env=environment,
            check=False,
        )
        if done.returncode:
            return _fail(f"`flask {' '.join(command)}` failed; see above.")
    return _serve(environment, host, port)


def demo_environment(host: str, port: int) -> dict[str, str]:
    """The environment of the demo's processes."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    shown = _shown(host)
    issuer = f"http://{shown}:{port + 1}"
    return {
        **{key: value for key, value in os.environ.items() if not key.startswith("OIDC_")},
        "PORTICO_ENV": "demo",
        "DATA_DIR": str(FOLDER),
        "DATABASE_URL": f"sqlite:///{FOLDER}/portico.db",
        "SECRET_KEY": _kept_secret(FOLDER / "secret_key"),
        "PUBLIC_URL": os.environ.get("PUBLIC_URL", f"http://{shown}:{port}"),
        "SITE_NAME": os.environ.get("SITE_NAME", "Harbor Marketplace"),
        "MAIL_BACKEND": "file",
        # The sample app takes webhooks on this machine.
        "OUTBOUND_ALLOWED_NETWORKS": "127.0.0.0/8",
        "LOG_FORMAT": "console",
        "MEILISEARCH_URL": "",
        "REDIS_URL": "",
        "OIDC_PROVIDERS": "demo",
        "OIDC_DEMO_ISSUER": issuer,
        "OIDC_DEMO_CLIENT_ID": "portico",
        "OIDC_DEMO_CLIENT_SECRET": "portico-demo",
        "OIDC_DEMO_LABEL": "Demo people",
        "SAMPLE_APP_URL": f"http://{shown}:{port + 2}",
        "SAMPLE_APP_CLIENT_ID": "pcl_demo_sample_app",
        "SAMPLE_APP_CLIENT_SECRET": _kept_secret(FOLDER / "sample_client_secret", "pcs_"),
        "SAMPLE_APP_WEBHOOK_SECRET": _kept_secret(FOLDER / "sample_webhook_secret", "whsec_"),
        "STRIPE_API_BASE": f"http://{LOOPBACK}:{port + 3}",
        "STRIPE_API_KEY": _kept_secret(FOLDER / "stripe_key", "sk_test_"),
        "STRIPE_WEBHOOK_SECRET": _kept_secret(FOLDER / "stripe_webhook_secret", "whsec_"),
        "STRIPE_CONNECT_WEBHOOK_SECRET": _kept_secret(FOLDER / "stripe_connect_secret", "whsec_"),
        "SELLER_NAME": "Harbor Marketplace Ltd",
        "SELLER_ADDRESS": "12 Custom House Quay, Dublin 1, D01 H6F2, Ireland",
        "SELLER_COUNTRY": "IE",
        "SELLER_TAX_ID": "IE9807654K",
        "HOST": host,
        "PORT": str(port),
        # No proxy stands before the demo: even an absurd address gets the site's own answer.
        "WEB_LIMIT_REQUEST_LINE": "0",
    }


def _shown(host: str) -> str:
    """The host by which this machine reaches what listens on `host`."""
    return LOOPBACK if host in {"0.0.0.0", "::", ""} else host  # noqa: S104 - compared, not bound


def _kept_secret(path: Path, prefix: str = "") -> str:
    """A secret of this demo's own, kept so that it stays the same over a restart."""
    if not path.exists():
        path.touch(mode=0o600)
        # Hexadecimal digits read the same in an address, in a form and as base64.
        path.write_text(prefix + secrets.token_hex(32))
    return path.read_text()


def _sample_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """What the sample app is told, and nothing of the demo's own secrets."""
    ours = ("SECRET_KEY", "DATABASE_URL", "OIDC_", "SAMPLE_APP_", "STRIPE_")
    return {
        **{key: value for key, value in environment.items() if not key.startswith(ours)},
        "PORTICO_URL": environment["PUBLIC_URL"],
        "CLIENT_ID": environment["SAMPLE_APP_CLIENT_ID"],
        "CLIENT_SECRET": environment["SAMPLE_APP_CLIENT_SECRET"],
        "WEBHOOK_SECRET": environment["SAMPLE_APP_WEBHOOK_SECRET"],
        "DATA_DIR": str(FOLDER / "sample_app"),
        "PORT": str(int(environment["PORT"]) + 2),
        "APP_NAME": "Address Proof",
    }


def _why_taken(host: str, port: int) -> str:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return (error.strerror or str(error)).lower()
    return ""


def _serve(environment: Mapping[str, str], host: str, port: int) -> int:
    python = [sys.executable, "-m"]
    log = (FOLDER / "demo.log").open("ab")
    provider = ["marketplace.demo.oidc_provider", "--host", host, "--port", str(port + 1)]
    stand_in = ["billing.sandbox_stripe", "--host", LOOPBACK, "--port", str(port + 3)]
    stand_in += ["--data", str(FOLDER / STORE)]
    stand_in += ["--webhook-url", f"http://{_shown(host)}:{port}/webhooks/stripe"]
    stand_in += ["--webhook-secret", environment["STRIPE_WEBHOOK_SECRET"]]
    stand_in += ["--connect-webhook-secret", environment["STRIPE_CONNECT_WEBHOOK_SECRET"]]
    commands = {
        "stand-in for Stripe": [*python, *stand_in],
        "sign-in provider": [*python, *provider],
        "site": [*python, "gunicorn", "-c", "gunicorn.conf.py", "wsgi:app"],
        "worker": [*python, "flask", "--app", "wsgi", "jobs", "work"],
        "sample app": [*python, "examples.sample_app", "--host", host, "--port", str(port + 2)],
    }
    environments = {"sample app": _sample_environment(environment)}
    running: dict[str, subprocess.Popen[bytes]] = {}
    stop_asked: list[int] = []

    def stop(number: int, _frame: FrameType | None) -> None:
        stop_asked.append(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    try:
        for name, command in commands.items():
            running[name] = subprocess.Popen(  # noqa: S603 - our own commands, no shell
                command,
                cwd=ROOT,
                env=environments.get(name, dict(environment)),
                stdout=log,
                stderr=log,
                # Ctrl-C reaches this process alone, which then stops the others in order.
                start_new_session=True,
                preexec_fn=_die_with_the_parent,
            )
        if not _wait_until_up(environment["PUBLIC_URL"], host, port, running, stop_asked):
            return 0 if stop_asked else _fail(f"The demo did not start; see {log.name}")
        _say_welcome(environment)
        while not stop_asked:
            for name, process in running.items():
                if process.poll() is not None:
                    return _fail(f"The {name} stopped unexpectedly; see {log.name}")
            time.sleep(0.3)
        print("\nStopping ...", flush=True)  # noqa: T201 - speaks to the person at the terminal
        return 0
    finally:
        _stop(running)
        log.close()


def _die_with_the_parent() -> None:
    """On Linux, have the kernel stop this child when the supervisor is killed outright."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _wait_until_up(
    url: str,
    host: str,
    port: int,
    running: Mapping[str, subprocess.Popen[bytes]],
    stop_asked: list[int],
) -> bool:
    shown = _shown(host)
    deadline = time.monotonic() + START_TIMEOUT_SECONDS
    while time.monotonic() < deadline and not stop_asked:
        if any(process.poll() is not None for process in running.values()):
            return False
        try:
            with urllib.request.urlopen(f"http://{shown}:{port}/healthz", timeout=2):
                return True
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    return False


def _say_welcome(environment: Mapping[str, str]) -> None:
    from marketplace.demo.people import demo_people

    people = list(demo_people())
    width = max(len(person.name) for person in people)
    lines = [
        "",
        f"  The demo is at  {environment['PUBLIC_URL']}",
        "",
        "  Sign in as one of these people (no password):",
        *(
            f"    {person.name:<{width}}  {person.role.replace('_', ' ')} at {person.organization}"
            for person in people
        ),
        "",
        "  Install Address Proof: its sample app runs beside the demo.",
        "  Buy Field Steward with the card 4242 4242 4242 4242. Its stand-in for Stripe and a bank",
        f"  is at  {environment['STRIPE_API_BASE']}",
        "",
        f"  Mail that the demo sends is at  {environment['OIDC_DEMO_ISSUER']}/mail",
        "  Stop with Ctrl-C. `make clean` forgets the demo's data.",
        "",
    ]
    print("\n".join(lines), flush=True)  # noqa: T201 - speaks to the person at the terminal


def _stop(running: Mapping[str, subprocess.Popen[bytes]]) -> None:
    for process in running.values():
        if process.poll() is None:
            process.terminate()
    deadline = time.monotonic() + 10
    for process in running.values():
        try:
            process.wait(timeout=max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _fail(message: str) -> int:
    print(message, file=sys.stderr)  # noqa: T201 - speaks to the person at the terminal
    return 1


if __name__ == "__main__":
    raise SystemExit(main())
