"""Files: the same behaviour in a local folder and in an S3-compatible bucket."""

import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from marketplace.core.errors import UnavailableError
from marketplace.core.storage import Storage, open_storage


class Bucket(BaseHTTPRequestHandler):
    """As much of S3's HTTP interface as putting, getting and deleting one object takes."""

    objects: ClassVar[dict[str, tuple[bytes, str]]] = {}
    protocol_version = "HTTP/1.1"

    def _answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_PUT(self) -> None:
        assert "AWS4-HMAC-SHA256" in self.headers["Authorization"]
        data = self.rfile.read(int(self.headers["Content-Length"]))
        self.objects[self.path] = (data, self.headers.get("Content-Type", ""))
        self._answer(200, ETag='"1"')

    def do_GET(self) -> None:
        if self.path not in self.objects:
            return self._answer(404, b"<Error><Code>NoSuchKey</Code></Error>")
        data, kind = self.objects[self.path]
        modified = "Mon, 02 Mar 2026 12:00:00 GMT"
        return self._answer(200, data, Content_Type=kind, ETag='"1"', Last_Modified=modified)

    def do_POST(self) -> None:
        """DeleteObjects, which the client uses for one object too."""
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        keys = re.findall(r"<Key>(.*?)</Key>", body)
        for key in keys:
            self.objects.pop(f"{self.path.split('?')[0].rstrip('/')}/{key}", None)
        deleted = "".join(f"<Deleted><Key>{key}</Key></Deleted>" for key in keys)
        self._answer(
            200, f"<DeleteResult>{deleted}</DeleteResult>".encode(), Content_Type="application/xml"
        )

    def log_message(self, *_args: object) -> None:
        """Say nothing."""


@pytest.fixture(params=["folder", "bucket"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Storage]:
    if request.param == "folder":
        yield open_storage(tmp_path)
        return
    Bucket.objects.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Bucket)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield open_storage(
        tmp_path,
        storage_url="s3://uploads/images",
        endpoint=f"http://127.0.0.1:{server.server_port}",
        access_key_id="key",
        secret_access_key="hush",
    )
    server.shutdown()
    server.server_close()


def test_what_is_put_is_got(storage: Storage) -> None:
    storage.put("ab/abc.png", b"pixels", "image/png")
    assert storage.get("ab/abc.png") == b"pixels"


def test_what_was_never_put_is_none(storage: Storage) -> None:
    assert storage.get("ab/none.png") is None


def test_what_is_deleted_is_gone_and_deleting_again_is_harmless(storage: Storage) -> None:
    storage.put("ab/abc.png", b"pixels", "image/png")
    storage.delete("ab/abc.png")
    storage.delete("ab/abc.png")
    assert storage.get("ab/abc.png") is None


def test_a_bucket_that_does_not_answer_is_told_as_unavailable(tmp_path: Path) -> None:
    storage = open_storage(
        tmp_path,
        storage_url="s3://uploads",
        endpoint="http://127.0.0.1:1",
        access_key_id="key",
        secret_access_key="hush",
        retries=0,
    )
    with pytest.raises(UnavailableError):
        storage.get("ab/abc.png")
