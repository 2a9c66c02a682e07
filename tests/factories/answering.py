"""A small HTTP server on loopback that answers as a test tells it: well, slowly, badly or never."""

import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Received:
    """A request as it came in; header names in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    at: float


@dataclass
class Answer:
    """What to answer, after `delay` seconds. `raw` writes to the socket instead."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"ok"
    delay: float = 0
    raw: Callable[[Any], None] | None = None


class AnsweringServer:
    """Answers every path by its plan: one answer, or a list of which the last is repeated."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.received: list[Received] = []
        self.most_at_once = 0
        self._plans: dict[str, list[Answer]] = {}
        self._lock = threading.Lock()
        self._inside = 0
        self.stopped = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def handle_any(self) -> None:
                outer._handle(self)

            do_GET = do_POST = do_HEAD = handle_any  # noqa: N815 - http.server's names

            def log_message(self, *_args: object) -> None:
                """Say nothing."""

        class Server(ThreadingHTTPServer):
            request_queue_size = 256

            def handle_error(self, *_args: object) -> None:
                """A client that went away is what some tests are about."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        if tls is not None:
            self._server.socket = tls.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self.port: int = self._server.server_address[1]
        self.scheme = "http" if tls is None else "https"
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        return f"{self.scheme}://{host}:{self.port}{path}"

    def plan(self, path: str, *answers: Answer) -> str:
        """Answer this path so from now on; its address."""
        with self._lock:
            self._plans[path] = list(answers)
        return self.url(path)

    def to(self, path: str) -> list[Received]:
        """What came to this path, in order."""
        with self._lock:
            return [received for received in self.received if received.path == path]

    def _handle(self, handler: BaseHTTPRequestHandler) -> None:
        size = int(handler.headers.get("Content-Length") or 0)
        body = handler.rfile.read(size)
        with self._lock:
            self._inside += 1
            self.most_at_once = max(self.most_at_once, self._inside)
            self.received.append(
                Received(
                    handler.command,
                    handler.path,
                    {name.lower(): value for name, value in handler.headers.items()},
                    body,
                    time.monotonic(),
                )
            )
            answers = self._plans.get(handler.path, [Answer()])
            answer = answers.pop(0) if len(answers) > 1 else answers[0]
        try:
            self._answer(handler, answer)
        finally:
            with self._lock:
                self._inside -= 1

    def _answer(self, handler: BaseHTTPRequestHandler, answer: Answer) -> None:
        if answer.delay:
            self.stopped.wait(answer.delay)
        if answer.raw is not None:
            answer.raw(handler.wfile)
            handler.close_connection = True
            return
        handler.send_response(answer.status)
        for name, value in answer.headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(answer.body)))
        handler.end_headers()
        handler.wfile.write(answer.body)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self.stopped.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextmanager
def answering(tls: ssl.SSLContext | None = None) -> Iterator[AnsweringServer]:
    """A server that runs during the block."""
    server = AnsweringServer(tls)
    server.start()
    try:
        yield server
    finally:
        server.stop()
