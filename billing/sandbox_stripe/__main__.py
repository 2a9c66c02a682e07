"""`python -m billing.sandbox_stripe`: the stand-in as a process of its own, for the demo."""

import argparse
import signal
import sys
import threading
from pathlib import Path

from billing.sandbox_stripe.running import LOOPBACK, Sandbox, open_store


def main(arguments: list[str] | None = None) -> int:
    """Serve until a signal. The site needs STRIPE_API_BASE, a key sk_test_…, and the secrets."""
    parser = argparse.ArgumentParser(
        prog="python -m billing.sandbox_stripe", description=main.__doc__
    )
    parser.add_argument("--host", default="127.0.0.1", choices=sorted(LOOPBACK))
    parser.add_argument("--port", type=int, default=8420)
    parser.add_argument("--data", type=Path, default=Path("instance/sandbox_stripe.db"))
    parser.add_argument("--webhook-url", default="http://127.0.0.1:8000/webhooks/stripe")
    parser.add_argument("--webhook-secret", default="whsec_sandbox_platform")
    parser.add_argument("--connect-webhook-secret", default="whsec_sandbox_accounts")
    given = parser.parse_args(arguments)
    store = open_store(
        given.data, given.webhook_url, given.webhook_secret, given.connect_webhook_secret
    )
    stop = threading.Event()
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, lambda *_signal: stop.set())
    with Sandbox(store, host=given.host, port=given.port) as sandbox:
        sys.stdout.write(f"Payment sandbox on {sandbox.url}\n")
        sys.stdout.flush()
        stop.wait()
    store.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
