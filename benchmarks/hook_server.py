"""The partners' side of the webhook measurement, in a process of its own: prints its port.

`/fine…` answers at once, `/slow…` after two seconds, `/failing…` with 500. GET /counts tells how
many POSTs came to each path, and how many different webhook-ids.
"""

import json
import sys
import threading
import time
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SLOW_SECONDS = 2.0
_lock = threading.Lock()
_posts: dict[str, int] = defaultdict(int)
_ids: dict[str, set[str]] = defaultdict(set)


class Handler(BaseHTTPRequestHandler):
    """Counts and answers."""

    def do_POST(self) -> None:
        """A webhook, or a bare post."""
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        with _lock:
            _posts[self.path] += 1
            _ids[self.path].add(self.headers.get("webhook-id", ""))
        if self.path.startswith("/slow"):
            time.sleep(SLOW_SECONDS)
        self._answer(500 if self.path.startswith("/failing") else 200, b"ok")

    def do_GET(self) -> None:
        """The counts so far."""
        with _lock:
            found = {path: [_posts[path], len(_ids[path])] for path in _posts}
        self._answer(200, json.dumps(found).encode())

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


class Server(ThreadingHTTPServer):
    """Takes many connections at once."""

    request_queue_size = 256
    daemon_threads = True


def main() -> int:
    """Serve on a free port of loopback until standard input ends."""
    server = Server(("127.0.0.1", 0), Handler)
    print(server.server_address[1], flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
