"""The life of a report of abuse: which step may follow which, and how a case is numbered."""

from collections.abc import Mapping

from marketplace.catalogue.models import CaseState

REASONS: Mapping[str, str] = {
    "malware": "It harms computers or steals data",
    "misleading": "It does not do what it says",
    "impersonation": "It pretends to be somebody else's product",
    "data_misuse": "It uses data for something else than it says",
    "broken": "It does not work and nobody answers",
    "offensive": "Its page is abusive or illegal",
    "other": "Something else",
}

_NEXT: Mapping[CaseState, frozenset[CaseState]] = {
    CaseState.OPEN: frozenset({CaseState.INVESTIGATING, CaseState.DISMISSED, CaseState.SUSPENDED}),
    CaseState.INVESTIGATING: frozenset(
        {CaseState.INVESTIGATING, CaseState.DISMISSED, CaseState.SUSPENDED}
    ),
    # A dismissed case is taken up again when more becomes known.
    CaseState.DISMISSED: frozenset({CaseState.INVESTIGATING}),
    CaseState.SUSPENDED: frozenset({CaseState.REINSTATED}),
    CaseState.REINSTATED: frozenset(),
}
WAITING = (CaseState.OPEN, CaseState.INVESTIGATING)


def may_become(now: CaseState, then: CaseState) -> bool:
    """Whether a case in state `now` may go to state `then`."""
    return then in _NEXT[now]


def case_number(year: int, case_id: int) -> str:
    """What people are told, like `AB-2026-00012`."""
    return f"AB-{year:04d}-{case_id:05d}"
