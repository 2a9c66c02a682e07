"""Calling addresses that partners typed: rebinding, redirects, slowness, size, TLS."""

import datetime
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from marketplace.core.guarded_sockets import guarded_tls_context
from marketplace.core.outbound import (
    OutboundAnswer,
    OutboundFailedError,
    OutboundRefusedError,
    configure_outbound,
    send,
)
from tests.conftest import OUTBOUND_NETWORKS
from tests.factories.answering import Answer, AnsweringServer, answering

LOOPBACK = ["127.0.0.0/8"]


class Names:
    """A resolver by a table; a list of lists answers differently each time."""

    def __init__(self, **answers: list[list[str]]) -> None:
        self.answers = {name.replace("_", "."): rows for name, rows in answers.items()}
        self.asked: list[str] = []

    def __call__(self, host: str, port: int, **_more: Any) -> list[Any]:
        self.asked.append(host)
        rows = self.answers.get(host)
        if rows is None:
            return list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        addresses = rows.pop(0) if len(rows) > 1 else rows[0]
        if not addresses:
            raise socket.gaierror(-2, "Name or service not known")
        return [
            (socket.AF_INET6, socket.SOCK_STREAM, 6, "", (address, port, 0, 0))
            if ":" in address
            else (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))
            for address in addresses
        ]


@pytest.fixture
def server() -> Iterator[AnsweringServer]:
    with answering() as running:
        yield running


@pytest.fixture(autouse=True)
def loopback_is_let_through() -> Iterator[None]:
    configure_outbound(LOOPBACK)
    yield
    configure_outbound([OUTBOUND_NETWORKS])


def post(url: str, **more: Any) -> OutboundAnswer:
    return send("POST", url, headers={"Content-Type": "application/json"}, body=b"{}", **more)


def test_a_request_is_made_and_its_answer_given(server: AnsweringServer) -> None:
    url = server.plan("/hook?a=1", Answer(202, {"X-Request": "7"}, b"taken"))
    answer = post(url)
    assert (answer.status, answer.body, answer.headers["x-request"]) == (202, b"taken", "7")
    assert not answer.is_cut
    (received,) = server.received
    assert (received.method, received.path, received.body) == ("POST", "/hook?a=1", b"{}")
    assert received.headers["host"] == f"127.0.0.1:{server.port}"
    assert received.headers["accept-encoding"] == "identity"
    assert received.headers["user-agent"].startswith("Portico")


def test_a_name_is_looked_up_once_and_kept_as_the_host(server: AnsweringServer) -> None:
    names = Names(hooks_tides_example=[["127.0.0.1"]])
    configure_outbound(LOOPBACK, resolver=names)
    assert post(server.url("/hook", "hooks.tides.example")).status == 200
    assert names.asked == ["hooks.tides.example"]
    assert server.received[0].headers["host"] == f"hooks.tides.example:{server.port}"


def test_a_name_that_turns_private_later_is_refused_before_anything_is_sent(
    server: AnsweringServer,
) -> None:
    # Public when it was typed and checked, private when it is called.
    names = Names(rebind_tides_example=[["127.0.0.1"], ["10.0.0.1"], ["127.0.0.1", "10.0.0.1"]])
    configure_outbound(LOOPBACK, resolver=names)
    url = server.url("/hook", "rebind.tides.example")
    assert post(url).status == 200
    for _time in (1, 2):
        with pytest.raises(OutboundRefusedError, match="private network"):
            post(url)
    assert len(server.received) == 1
    # One look-up for each request: the address that is checked is the one that is used.
    assert len(names.asked) == 3


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["::1"],
        ["169.254.169.254"],
        ["::ffff:127.0.0.1"],
        ["fe80::1%1"],
        ["93.184.216.34", "127.0.0.1"],
        ["127.0.0.1", "93.184.216.34"],
        ["2606:2800:220:1:248:1893:25c8:1946", "fd00::1"],
    ],
)
def test_an_answer_with_any_private_address_is_refused(
    server: AnsweringServer, addresses: list[str]
) -> None:
    configure_outbound(resolver=Names(mixed_tides_example=[addresses]))
    for scheme in ("http", "https"):
        with pytest.raises(OutboundRefusedError):
            post(f"{scheme}://mixed.tides.example:{server.port}/hook")
    assert server.received == []


def test_http_is_for_allowed_networks_only() -> None:
    configure_outbound(LOOPBACK, resolver=Names(plain_tides_example=[["93.184.216.34"]]))
    with pytest.raises(OutboundRefusedError, match="https"):
        post("http://plain.tides.example/hook")


def raw(*lines: bytes) -> Answer:
    return Answer(raw=lambda out: out.write(b"\r\n".join(lines)))


HINTS = [b"HTTP/1.1 103 Early Hints", b"Link: </a.css>; rel=preload", b""]
DONE = [b"HTTP/1.1 200 OK", b"Content-Length: 5", b"", b"taken"]


def test_interim_answers_are_passed_over(server: AnsweringServer) -> None:
    going_on = [b"HTTP/1.1 100 Continue", b"", b"HTTP/1.1 102 Processing", b"X-Part: 1", b""]
    for interim in (HINTS, going_on, [*HINTS, *going_on], HINTS * 20):
        answer = post(server.plan("/hook", raw(*interim, *DONE)))
        assert (answer.status, answer.body) == (200, b"taken")
        assert "link" not in answer.headers
        assert "x-part" not in answer.headers
    failed = [b"HTTP/1.1 500 No", b"Content-Length: 0", b"", b""]
    assert post(server.plan("/hook", raw(*HINTS, *failed))).status == 500


@pytest.mark.parametrize("interim", [HINTS, [b"HTTP/1.1 100 Continue", b""]])
def test_interim_answers_without_end_are_a_failure(
    server: AnsweringServer, interim: list[bytes]
) -> None:
    with pytest.raises(OutboundFailedError):
        post(server.plan("/hook", raw(*interim * 21, *DONE)))


def test_another_protocol_is_an_answer_that_nobody_asked_for(server: AnsweringServer) -> None:
    switched = [b"HTTP/1.1 101 Switching Protocols", b"Upgrade: websocket", b"", b""]
    assert post(server.plan("/hook", raw(*switched))).status == 101


def test_a_redirect_is_an_answer_and_is_not_followed(server: AnsweringServer) -> None:
    location = {"Location": "http://169.254.169.254/latest/meta-data/"}
    for status in (301, 302, 303, 307, 308):
        url = server.plan(f"/{status}", Answer(status, location))
        assert post(url).status == status
        local = server.plan(f"/local{status}", Answer(status, {"Location": server.url("/inside")}))
        assert post(local).status == status
    assert server.to("/inside") == []


def test_a_proxy_of_the_environment_is_not_used(
    server: AnsweringServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert post(server.url("/hook")).status == 200


def drip(piece: bytes, start: bytes = b"") -> Any:
    def write(out: Any) -> None:
        out.write(start)
        for _number in range(200):
            out.write(piece)
            out.flush()
            time.sleep(0.05)

    return write


OK = b"HTTP/1.1 200 OK\r\n"
HANGING = Answer(delay=5)
DRIPPING_HEADERS = Answer(raw=drip(b"X-More: 1\r\n", OK))
DRIPPING_LINE = Answer(raw=drip(b"x", OK + b"X-More: "))
DRIPPING_BODY = Answer(raw=drip(b"x", OK + b"Content-Length: 9000\r\n\r\n"))
DRIPPING_CHUNKS = Answer(raw=drip(b"1\r\nx\r\n", OK + b"Transfer-Encoding: chunked\r\n\r\n"))
DRIPPING_TRAILER = Answer(
    raw=drip(b"X: 1\r\n", OK + b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n")
)
ENDLESS_CONTINUE = Answer(raw=drip(b"HTTP/1.1 100 Continue\r\n\r\n"))


@pytest.mark.parametrize(
    "answer",
    [
        HANGING,
        DRIPPING_HEADERS,
        DRIPPING_LINE,
        DRIPPING_BODY,
        DRIPPING_CHUNKS,
        DRIPPING_TRAILER,
        ENDLESS_CONTINUE,
    ],
)
def test_a_slow_answer_ends_with_the_whole_time_however_it_drips(
    server: AnsweringServer, answer: Answer
) -> None:
    url = server.plan("/slow", answer)
    started = time.monotonic()
    with pytest.raises(OutboundFailedError) as failed:
        post(url, total_timeout=0.6)
    assert 0.5 < time.monotonic() - started < 1.5
    assert failed.value.code == "timeout"
    assert "0.6 s" in failed.value.detail


def test_a_huge_body_is_read_up_to_the_limit(server: AnsweringServer) -> None:
    url = server.plan("/big", Answer(body=b"x" * 5_000_000))
    answer = post(url, max_bytes=1_000)
    assert (answer.status, answer.body, answer.is_cut) == (200, b"x" * 1_000, True)


def test_an_endless_chunked_body_is_read_up_to_the_limit(server: AnsweringServer) -> None:
    def endless(out: Any) -> None:
        out.write(OK + b"Transfer-Encoding: chunked\r\n\r\n")
        while True:
            out.write(b"1000\r\n" + b"x" * 0x1000 + b"\r\n")

    started = time.monotonic()
    assert len(post(server.plan("/endless", Answer(raw=endless))).body) == 16 * 1024
    assert time.monotonic() - started < 3


@pytest.mark.parametrize(
    "head",
    [
        OK + b"X-Long: " + b"x" * 60_000 + b"\r\n\r\n",
        OK + b"".join(b"X-%d: 1\r\n" % number for number in range(300)) + b"\r\n",
        OK + b"".join(b"X-%d: %s\r\n" % (n, b"y" * 3_000) for n in range(40)) + b"\r\n",
        b"HTTP/1.1 200 " + b"x" * 80_000,
        b"HTTP/1.1 100 Continue\r\n\r\n" * 20_000,
    ],
)
def test_huge_headers_are_refused(server: AnsweringServer, head: bytes) -> None:
    url = server.plan("/head", Answer(raw=lambda out: out.write(head)))
    with pytest.raises(OutboundFailedError) as failed:
        post(url)
    assert failed.value.code == "size"


def test_compressed_answers_are_not_unpacked(server: AnsweringServer) -> None:
    bomb = b"\x1f\x8b\x08\x00not really gzip"
    url = server.plan("/gzip", Answer(headers={"Content-Encoding": "gzip"}, body=bomb))
    assert post(url).body == bomb


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "connection"),
        (b"SSH-2.0-OpenSSH_9\r\n", "protocol"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf", "connection"),
        (b"HTTP/1.1 999999 No\r\n\r\n", "protocol"),
    ],
)
def test_a_broken_answer_is_told_in_plain_words(
    server: AnsweringServer, raw: bytes, code: str
) -> None:
    url = server.plan("/broken", Answer(raw=lambda out: out.write(raw)))
    with pytest.raises(OutboundFailedError) as failed:
        post(url)
    assert failed.value.code == code
    assert "Error" not in failed.value.detail


def test_a_closed_port_is_told_at_once() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    started = time.monotonic()
    with pytest.raises(OutboundFailedError, match="refused"):
        post(f"http://127.0.0.1:{port}/")
    assert time.monotonic() - started < 1


def test_a_connection_that_nobody_takes_ends_with_its_timeout() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        waiting = []
        for _number in range(4):  # fill the queue; nobody accepts
            client = socket.socket()
            client.setblocking(False)
            client.connect_ex(("127.0.0.1", port))
            waiting.append(client)
        time.sleep(0.1)
        started = time.monotonic()
        with pytest.raises(OutboundFailedError) as failed:
            post(f"http://127.0.0.1:{port}/", connect_timeout=0.4)
        assert failed.value.code == "timeout"
        assert time.monotonic() - started < 1.5
        for client in waiting:
            client.close()


def test_a_name_that_is_not_there_or_not_found_in_time_is_told() -> None:
    release = threading.Event()

    def slow(*_args: Any, **_more: Any) -> list[Any]:
        release.wait(5)
        return []

    configure_outbound(resolver=Names(nowhere_tides_example=[[]]))
    with pytest.raises(OutboundFailedError, match="was not found") as failed:
        post("https://nowhere.tides.example/")
    assert failed.value.code == "name"
    configure_outbound(resolver=slow)
    started = time.monotonic()
    with pytest.raises(OutboundFailedError, match="in time"):
        post("https://slow.tides.example/", connect_timeout=0.3)
    assert time.monotonic() - started < 1
    release.set()


def test_the_second_address_is_tried_when_the_first_does_not_answer(
    server: AnsweringServer,
) -> None:
    configure_outbound(LOOPBACK, resolver=Names(two_tides_example=[["127.0.0.9", "127.0.0.1"]]))
    assert post(server.url("/hook", "two.tides.example")).status == 200


def test_ipv6_works_where_its_network_is_allowed() -> None:
    with socket.socket(socket.AF_INET6) as listener:
        try:
            listener.bind(("::1", 0))
        except OSError:
            pytest.skip("this machine has no IPv6 loopback")
        listener.listen()
        port = listener.getsockname()[1]
        seen: list[bytes] = []

        def answer() -> None:
            connection, _address = listener.accept()
            seen.append(connection.recv(4_096))
            connection.sendall(OK + b"Content-Length: 2\r\n\r\nok")
            connection.close()

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(OutboundRefusedError):
            post(f"http://[::1]:{port}/hook")
        configure_outbound(["::1/128"])
        assert post(f"http://[::1]:{port}/hook").body == b"ok"
        thread.join()
        assert f"Host: [::1]:{port}".encode() in seen[0]


# TLS -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> "Authority":
    return Authority(tmp_path_factory.mktemp("tls"))


class Authority:
    """A certificate authority of the test's own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Tides test authority")])
        certificate = self._sign(self._name, self._key, authority=True)
        self.file = folder / "authority.pem"
        self.file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))

    def _sign(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        names: tuple[str, ...] = (),
        *,
        authority: bool = False,
        days: int = 30,
    ) -> x509.Certificate:
        now = datetime.datetime.now(datetime.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=60))
            .not_valid_after(now + datetime.timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(
                x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
            )
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()),
                critical=False,
            )
        )
        if authority:
            usage = x509.KeyUsage(
                digital_signature=True,
                key_cert_sign=True,
                crl_sign=True,
                content_commitment=False,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                encipher_only=False,
                decipher_only=False,
            )
            builder = builder.add_extension(usage, critical=True)
        if names:
            entries: list[x509.GeneralName] = [
                x509.IPAddress(ipaddress.ip_address(name))
                if name[0].isdigit()
                else x509.DNSName(name)
                for name in names
            ]
            builder = builder.add_extension(x509.SubjectAlternativeName(entries), critical=False)
        return builder.sign(self._key, hashes.SHA256())

    def server(self, *names: str, days: int = 30) -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
        certificate = self._sign(subject, key, names, days=days)
        file = self._folder / f"{names[0]}-{days}.pem"
        file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context


NAMES = {"hooks_tides_example": [["127.0.0.1"]], "other_tides_example": [["127.0.0.1"]]}


def test_tls_is_verified_by_name_and_the_server_is_told_the_name(authority: Authority) -> None:
    told: list[str | None] = []
    context = authority.server("hooks.tides.example")
    context.sni_callback = lambda _socket, name, _context: told.append(name)
    trusting = guarded_tls_context(str(authority.file))
    configure_outbound(LOOPBACK, resolver=Names(**NAMES), tls=trusting)
    with answering(context) as server:
        assert post(server.url("/hook", "hooks.tides.example")).status == 200
        with pytest.raises(OutboundFailedError, match="certificate is not valid") as failed:
            post(server.url("/hook", "other.tides.example"))
        assert failed.value.code == "tls"
        assert told == ["hooks.tides.example", "other.tides.example"]
        assert len(server.received) == 1


def test_an_unknown_authority_and_an_old_certificate_are_refused(authority: Authority) -> None:
    configure_outbound(LOOPBACK, resolver=Names(**NAMES))
    with answering(authority.server("hooks.tides.example")) as server:
        with pytest.raises(OutboundFailedError, match="certificate is not valid"):
            post(server.url("/hook", "hooks.tides.example"))
        assert server.received == []
    trusting = guarded_tls_context(str(authority.file))
    configure_outbound(LOOPBACK, resolver=Names(**NAMES), tls=trusting)
    with (
        answering(authority.server("hooks.tides.example", days=-1)) as server,
        pytest.raises(OutboundFailedError, match="expired"),
    ):
        post(server.url("/hook", "hooks.tides.example"))


def test_a_server_without_tls_or_that_never_shakes_hands_is_told(
    server: AnsweringServer,
) -> None:
    with pytest.raises(OutboundFailedError) as failed:
        post(f"https://127.0.0.1:{server.port}/", total_timeout=1)
    assert failed.value.code in {"tls", "timeout"}
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        started = time.monotonic()
        with pytest.raises(OutboundFailedError) as hung:
            post(f"https://127.0.0.1:{silent.getsockname()[1]}/", total_timeout=0.6)
        assert hung.value.code == "timeout"
        assert time.monotonic() - started < 1.5


def test_a_slow_answer_under_tls_ends_with_the_whole_time(authority: Authority) -> None:
    trusting = guarded_tls_context(str(authority.file))
    configure_outbound(LOOPBACK, resolver=Names(**NAMES), tls=trusting)
    with answering(authority.server("hooks.tides.example")) as server:
        server.plan("/slow", DRIPPING_BODY)
        server.plan("/head", Answer(raw=lambda out: out.write(OK + b"X: " + b"x" * 60_000)))
        started = time.monotonic()
        with pytest.raises(OutboundFailedError) as failed:
            post(server.url("/slow", "hooks.tides.example"), total_timeout=0.7)
        assert failed.value.code == "timeout"
        assert time.monotonic() - started < 1.6
        with pytest.raises(OutboundFailedError) as large:
            post(server.url("/head", "hooks.tides.example"))
        assert large.value.code == "size"


def test_headers_that_would_inject_are_never_sent(server: AnsweringServer) -> None:
    with pytest.raises(OutboundFailedError):
        send("GET", server.url("/"), headers={"X-A": "1\r\nX-B: 2"})
    assert server.received == []
