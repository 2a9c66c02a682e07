"""Calendar entries as RFC 5545 wants them."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from marketplace.program.contacts.calendar import Meeting, calendar_file

BERLIN = ZoneInfo("Europe/Berlin")


def entry(**changes: object) -> list[str]:
    values: dict[str, object] = {
        "uid": "con_1@portico.example",
        "sequence": 0,
        "starts_at": datetime(2026, 3, 27, 9, tzinfo=BERLIN),
        "minutes": 45,
        "summary": "Launch, and more; a\\b",
        "description": "One\nTwo",
        "organizer": ('Ines "I;" Moreau', "ines@harbor.example"),
        "attendee": ("Maya\r\nX-EVIL:1", "maya@tide.example"),
    }
    meeting = Meeting(**{**values, **changes})  # type: ignore[arg-type]  # a table of fields
    text = calendar_file(meeting, stamp=datetime(2026, 3, 1, tzinfo=BERLIN)).decode()
    assert text.endswith("END:VCALENDAR\r\n")
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    return text.replace("\r\n ", "").split("\r\n")


def test_times_are_utc_so_that_summer_time_moves_nothing() -> None:
    assert "DTSTART:20260327T080000Z" in entry()
    assert "DTEND:20260327T084500Z" in entry()
    # Two days later the clocks go forward; nine in Berlin is seven in UTC then.
    later = datetime(2026, 3, 27, 9, tzinfo=BERLIN) + timedelta(days=3)
    assert "DTSTART:20260330T070000Z" in entry(starts_at=later)


def test_texts_are_escaped_and_names_cannot_add_lines() -> None:
    lines = entry()
    assert "SUMMARY:Launch\\, and more\\; a\\\\b" in lines
    assert "DESCRIPTION:One\\nTwo" in lines
    assert 'ORGANIZER;CN="Ines I Moreau":mailto:ines@harbor.example' in lines
    assert not [line for line in lines if line.startswith("X-EVIL")]


def test_long_lines_are_folded_between_characters() -> None:
    assert f"SUMMARY:{'é' * 200}" in entry(summary="é" * 200)


def test_a_change_has_a_greater_number_and_a_cancellation_says_so() -> None:
    lines = entry(sequence=2, is_canceled=True)
    assert {"SEQUENCE:2", "METHOD:CANCEL", "STATUS:CANCELLED"} <= set(lines)
