"""A real DNS server on loopback, in a thread, for tests: it answers TXT records over UDP."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
from dns.rdataclass import IN
from dns.rdatatype import TXT

from marketplace.accreditation.verification.records import DnsResolver, resolve_with


class NameServer:
    """`records` maps a name to its texts; `fails` makes it answer SERVFAIL."""

    def __init__(self) -> None:
        self.records: dict[str, list[str]] = {}
        self.fails = False
        self.asked: list[str] = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(0.1)
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._serve)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._socket.getsockname()[1])

    def start(self) -> None:
        """Answer from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Answer no more."""
        self._ends.set()
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        while not self._ends.is_set():
            try:
                wire, sender = self._socket.recvfrom(4_096)
            except TimeoutError:
                continue
            self._socket.sendto(self._answer(dns.message.from_wire(wire)), sender)

    def _answer(self, query: dns.message.Message) -> bytes:
        question = query.question[0]
        name = question.name.to_text().rstrip(".").lower()
        self.asked.append(name)
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.RA
        texts = self.records.get(name)
        if self.fails:
            answer.set_rcode(dns.rcode.SERVFAIL)
        elif texts is None:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        elif question.rdtype == TXT and texts:
            quoted = [
                " ".join(f'"{text[at : at + 200]}"' for at in range(0, len(text), 200) or [0])
                for text in texts
            ]
            answer.answer.append(dns.rrset.from_text(question.name, 60, IN, TXT, *quoted))
        return answer.to_wire()


@contextmanager
def name_server() -> Iterator[NameServer]:
    """A server that verification asks within the block."""
    server = NameServer()
    server.start()
    resolve_with(DnsResolver([("127.0.0.1", server.port)]))
    try:
        yield server
    finally:
        resolve_with(DnsResolver())
        server.stop()
