"""Calendar entries (iCalendar, RFC 5545) for meetings. All times are UTC, so that every calendar
shows its owner's own, summer time or not."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_LONGEST_LINE = 75


@dataclass(frozen=True)
class Meeting:
    """A meeting as a calendar keeps it. `sequence` grows with each change of the same `uid`."""

    uid: str
    sequence: int
    starts_at: datetime
    minutes: int
    summary: str
    description: str
    organizer: tuple[str, str]
    attendee: tuple[str, str]
    is_canceled: bool = False

    @property
    def method(self) -> str:
        """What the receiver's calendar is to do."""
        return "CANCEL" if self.is_canceled else "REQUEST"


def calendar_file(meeting: Meeting, *, stamp: datetime) -> bytes:
    """The file for a meeting, written at `stamp`."""
    name, address = meeting.organizer
    guest, guest_address = meeting.attendee
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Portico//Contacts//EN",
        f"METHOD:{meeting.method}",
        "BEGIN:VEVENT",
        f"UID:{meeting.uid}",
        f"SEQUENCE:{meeting.sequence}",
        f"DTSTAMP:{_utc(stamp)}",
        f"DTSTART:{_utc(meeting.starts_at)}",
        f"DTEND:{_utc(meeting.starts_at + timedelta(minutes=meeting.minutes))}",
        f"SUMMARY:{_text(meeting.summary)}",
        f"DESCRIPTION:{_text(meeting.description)}",
        f'ORGANIZER;CN="{_parameter(name)}":mailto:{address}',
        f'ATTENDEE;CN="{_parameter(guest)}";RSVP=FALSE:mailto:{guest_address}',
        f"STATUS:{'CANCELLED' if meeting.is_canceled else 'CONFIRMED'}",
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    return ("\r\n".join(_folded(line) for line in lines) + "\r\n").encode()


def _utc(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _text(value: str) -> str:
    for plain, escaped in (("\\", "\\\\"), (";", "\\;"), (",", "\\,")):
        value = value.replace(plain, escaped)
    return value.replace("\r\n", "\\n").replace("\n", "\\n")


def _parameter(value: str) -> str:
    return "".join(c for c in value if c.isprintable() and c not in '";:,')


def _folded(line: str) -> str:
    """The line in pieces of at most 75 bytes, each further one begun by a space."""
    pieces: list[str] = []
    piece = ""
    for character in line:
        if len((piece + character).encode()) > _LONGEST_LINE - (1 if pieces else 0):
            pieces.append(piece)
            piece = ""
        piece += character
    return "\r\n ".join([*pieces, piece])
