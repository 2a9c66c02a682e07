"""The Meilisearch adapter over real HTTP on loopback, against answers that a server of
version 1.50 gave to the same walk, and against a server that behaves badly."""

from __future__ import annotations

import json
import re
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from search import And, Eq, In, IndexState, Not, Or, Range, SearchUnavailable, WriteFailed
from search.meili import MeiliEngine, asking, layout, transport
from search.ranking import parse
from tests.unit.search.meili_flow import BOOKS, SPEC, ask, book, everything

RECORDED = Path(__file__).parent / "recorded" / "meilisearch-1.50.jsonl"
Reply = tuple[int, Any, dict[str, str]]
Behave = Callable[[str, str, Any], Reply]


class Stub:
    """A server that answers as ``behave`` says and remembers what it was asked."""

    def __init__(self, behave: Behave) -> None:
        self.asked: list[tuple[str, str, Any]] = []
        stub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = 1 << 16  # headers and body in one packet, or each answer takes 40 ms

            def _answer(self) -> None:
                raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                body = json.loads(raw) if raw else None
                stub.asked.append((self.command, self.path, body))
                status, answer, headers = behave(self.command, self.path, body)
                data = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _answer  # noqa: N815 - its names

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: Any) -> None:
                """A client that hangs up is what some tests are about."""

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


Serve = Callable[[Behave], tuple[MeiliEngine, Stub]]


@pytest.fixture
def serve() -> Iterator[Serve]:
    opened: list[tuple[MeiliEngine, Stub]] = []

    def start(behave: Behave) -> tuple[MeiliEngine, Stub]:
        stub = Stub(behave)
        opened.append((MeiliEngine(stub.url, "key"), stub))
        return opened[-1]

    yield start
    for engine, stub in opened:
        engine.close()
        stub.close()


def replay() -> Behave:
    """What the real server answered, in order; the last answer of a kind is repeated."""
    left: dict[tuple[str, str], deque[Reply]] = defaultdict(deque)
    for line in RECORDED.read_text(encoding="utf-8").splitlines():
        item = json.loads(line)
        left[item["method"], item["path"]].append((item["status"], item["answer"], {}))

    def behave(method: str, path: str, _: Any) -> Reply:
        path = re.sub(r"books__[0-9a-f]+", "books__X", path)
        path = re.sub(r"beforeFinishedAt=.*", "beforeFinishedAt=X", path)
        answers = left.get((method, path))
        if not answers:
            return 404, {"message": f"not recorded: {method} {path}", "code": "not_recorded"}, {}
        return answers.popleft() if len(answers) > 1 else answers[0]

    return behave


def settled(more: Behave) -> Behave:
    """A server on which the index is there and ready; the rest as ``more`` says."""

    def behave(method: str, path: str, body: Any) -> Reply:
        if method == "GET" and path == "/indexes/books/settings":
            return 200, {"displayedAttributes": [layout.stamp(SPEC)], "synonyms": {}}, {}
        return more(method, path, body)

    return behave


def ready(serve: Serve, more: Behave) -> tuple[MeiliEngine, Stub]:
    engine, stub = serve(settled(more))
    assert engine.ensure_index(SPEC) is IndexState.READY
    return engine, stub


def empty_page(count: int) -> Any:
    return {"results": [{"hits": [], "totalHits": 0} for _ in range(count)]}


def test_the_whole_walk_gives_what_the_real_server_gave(serve: Serve) -> None:
    engine, stub = serve(replay())
    assert everything(engine) == {
        "ensure": "created",
        "joined": [("a",), 1, ((0, 7),)],
        "facets": [
            ("a",),
            {"shelf": [("code", 1), ("crm", 1)], "kind": [("app", 1), ("template", 1)]},
        ],
        "dropped": [("b",), ["crm", "system", "the"]],
        "corrected": [("a",), "node js"],
        "values": [("code", 2), ("crm", 1)],
        "synonym": ("c",),
        "prints": ["b", "c"],
        "rebuilt": [2, {}],
        "after": ["a", "b"],
        "health": [True, 2],
    }
    searches = [query for _, path, body in stub.asked if "search" in path for query in
                (body.get("queries") or [body])]  # fmt: skip
    assert len(searches) > 20
    for query in searches:
        assert query["filter"][0] == f"scope IN [{layout.audience('all')}]"


def test_what_is_sent_is_whole_documents_with_settings_first(serve: Serve) -> None:
    engine, stub = serve(replay())
    everything(engine)
    steps = [(method, path.split("?")[0]) for method, path, _ in stub.asked]
    assert steps.index(("PATCH", "/indexes/books/settings")) < steps.index(
        ("POST", "/indexes/books/documents")
    )
    sent = next(body for method, path, body in stub.asked if "/documents?" in path and body)
    assert len(sent) == len(BOOKS)
    assert set(sent[0]) >= {"key", "id", "scope", "print", "popularity", "words_name"}


def test_a_server_that_is_gone_is_unavailable(serve: Serve) -> None:
    engine, stub = ready(serve, lambda *_: (200, empty_page(1), {}))
    stub.close()
    engine.close()  # hangs up: what is open already would go on being answered
    with pytest.raises(SearchUnavailable):
        engine.search(ask("x", correct=False))
    assert not engine.health().ok
    assert engine.ensure_index(SPEC) is IndexState.UNREACHABLE


def test_retry_after_is_honoured_and_nobody_asks_before(serve: Serve) -> None:
    engine, stub = ready(serve, lambda *_: (503, {"message": "busy"}, {"Retry-After": "7"}))
    with pytest.raises(SearchUnavailable) as caught:
        engine.search(ask("x"))
    assert caught.value.retry_after == 7
    asked = len(stub.asked)
    with pytest.raises(SearchUnavailable) as caught:
        engine.search(ask("x"))
    assert 0 < (caught.value.retry_after or 0) <= 7
    assert len(stub.asked) == asked


def test_a_read_is_tried_twice(serve: Serve) -> None:
    answers = deque([(502, {}, {}), (200, empty_page(1), {})])
    engine, _ = ready(serve, lambda *_: answers.popleft())
    assert engine.search(ask("x", correct=False)).total == 0


def test_a_write_is_tried_once(serve: Serve) -> None:
    engine, stub = ready(serve, lambda *_: (502, {}, {}))
    with pytest.raises(SearchUnavailable):
        engine.upsert("books", [book(**BOOKS[0])])
    assert sum("/documents" in path for _, path, _ in stub.asked) == 1


def test_after_failures_in_a_row_nobody_waits_until_one_call_gets_through(serve: Serve) -> None:
    failing = [True]
    engine, stub = ready(
        serve, lambda *_: (502, {}, {}) if failing[0] else (200, empty_page(1), {})
    )
    engine._transport.breaker = transport.Breaker(0.2)
    for _ in range(3):
        with pytest.raises(SearchUnavailable):
            engine.search(ask("x", correct=False))
    asked = len(stub.asked)
    with pytest.raises(SearchUnavailable):
        engine.search(ask("x", correct=False))
    assert len(stub.asked) == asked
    failing[0] = False
    time.sleep(0.25)
    assert engine.search(ask("x", correct=False)).total == 0
    assert engine.search(ask("x", correct=False)).total == 0


def test_a_server_that_is_slow_is_not_waited_for(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "READ_SECONDS", 0.1)

    def slow(*_: Any) -> Reply:
        time.sleep(0.6)
        return 200, empty_page(1), {}

    engine, _ = ready(serve, slow)
    started = time.monotonic()
    with pytest.raises(SearchUnavailable):
        engine.search(ask("x"))
    assert time.monotonic() - started < 0.5


@pytest.mark.parametrize(
    "answer", [b"<html>a proxy's page</html>", b"", {"results": [{}]}, {"nothing": 1}, [1], "x"]
)
def test_an_answer_that_makes_no_sense_is_unavailable(serve: Serve, answer: Any) -> None:
    engine, _ = ready(serve, lambda *_: (200, answer, {}))
    with pytest.raises(SearchUnavailable):
        engine.search(ask("x"))


def test_a_wrong_key_is_unavailable_and_says_so(serve: Serve) -> None:
    answer = {"message": "The provided API key is invalid.", "code": "invalid_api_key"}
    engine, _ = serve(lambda *_: (403, answer, {}))
    with pytest.raises(SearchUnavailable, match="API key"):
        engine.ensure_index(SPEC)
    with pytest.raises(SearchUnavailable, match="API key"):
        engine.search(ask("x"))


def test_an_index_that_went_away_wants_a_rebuild(serve: Serve) -> None:
    answer = {"message": "Index `books` not found.", "code": "index_not_found"}
    engine, _ = ready(serve, lambda *_: (404, answer, {}))
    with pytest.raises(SearchUnavailable) as caught:
        engine.search(ask("x"))
    assert caught.value.rebuild


def test_a_task_that_failed_raises_with_the_documents(serve: Serve) -> None:
    def behave(_: str, path: str, __: Any) -> Reply:
        if path.startswith("/tasks/"):
            return 200, {"status": "failed", "error": {"message": "no space left"}}, {}
        return 202, {"taskUid": 5}, {}

    engine, _ = ready(serve, behave)
    ticket = engine.upsert("books", [book(**BOOKS[0])])
    with pytest.raises(WriteFailed, match="no space left") as caught:
        engine.wait(ticket)
    assert caught.value.ids == ("a",)


def test_a_task_that_takes_too_long_is_unavailable(serve: Serve) -> None:
    def behave(_: str, path: str, __: Any) -> Reply:
        return (
            (200, {"status": "processing"}, {}) if "/tasks/" in path else (202, {"taskUid": 5}, {})
        )

    engine, _ = ready(serve, behave)
    ticket = engine.upsert("books", [book(**BOOKS[0])])
    with pytest.raises(SearchUnavailable, match="still working"):
        engine.wait(ticket, 0.05)


def test_a_batch_that_is_refused_in_a_rebuild_is_halved_to_the_bad_document(serve: Serve) -> None:
    kept: dict[str, Any] = {}
    outcome: dict[int, str] = {}

    def behave(method: str, path: str, body: Any) -> Reply:
        if path.startswith("/tasks/"):
            status = outcome.get(int(path.rsplit("/", 1)[1]), "succeeded")
            return 200, {"status": status, "error": {"message": "bad"}}, {}
        if "/documents?" in path:
            number = len(outcome) + 1
            bad = any(doc["id"] == "d13" for doc in body)
            outcome[number] = "failed" if bad else "succeeded"
            kept.update({} if bad else {doc["id"]: doc for doc in body})
            return 202, {"taskUid": number}, {}
        if path.endswith("/stats"):
            return 200, {"numberOfDocuments": len(kept)}, {}
        if method == "GET":
            return 200, {"results": []}, {}
        return 202, {"taskUid": 999}, {}

    engine, _ = ready(serve, behave)
    report = engine.rebuild(SPEC, [book(id=f"d{at}", name="x") for at in range(20)])
    assert report.documents == 19
    assert report.rejected == {"d13": "bad"}


def test_an_index_of_another_schema_is_stale(serve: Serve) -> None:
    engine, _ = serve(lambda *_: (200, {"displayedAttributes": ["id"], "synonyms": {}}, {}))
    assert engine.ensure_index(SPEC) is IndexState.STALE
    with pytest.raises(SearchUnavailable) as caught:
        engine.upsert("books", [book(**BOOKS[0])])
    assert caught.value.rebuild


@pytest.mark.parametrize(
    ("tree", "text"),
    [
        (Eq("shelf", 'a" OR kind = "b'), 'filter_shelf IN ["a\\" OR kind = \\"b"]'),
        (Eq("shelf", "back\\slash"), 'filter_shelf IN ["back\\\\slash"]'),
        (In("shelf", ("a", "b")), 'filter_shelf IN ["a", "b"]'),
        (In("shelf", ()), "scope IN []"),
        (Not(Eq("kind", "a")), 'NOT (filter_kind IN ["a"])'),
        (And((Eq("kind", "a"), Or(()))), '(filter_kind IN ["a"]) AND (scope IN [])'),
        (And(()), "NOT (scope IN [])"),
    ],
)
def test_a_filter_is_quoted_value_by_value(tree: Any, text: str) -> None:
    assert asking.condition(SPEC, tree) == text


def test_a_range_over_words_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="no number"):
        asking.condition(SPEC, Range("shelf", 1, 2))


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("Node.js", "node js"),
        ("c++ c#", "cplusplus csharp"),
        ('"hub spot" crm -sales', '-"sales" "hub spot" crm'),
        ('a" OR b = "c', "a or b c"),
        ("🚀", ""),
    ],
)
def test_a_query_is_sent_as_words_alone(typed: str, sent: str) -> None:
    assert asking.spelled(parse(typed)) == sent


@pytest.mark.parametrize("identity", ["a b", "ü", "x" * 300, "sha_1", "a/b", "../x"])
def test_any_id_becomes_a_key_that_the_server_takes(identity: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,200}", layout.key_of(identity))
    assert layout.key_of(identity) != identity
    assert layout.key_of("plain-id_1") == "plain-id_1"


def test_audiences_that_differ_in_case_alone_stay_apart() -> None:
    assert layout.audience("Org-A") != layout.audience("org-a")
    assert layout.audience("org").islower()
