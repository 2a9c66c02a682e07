"""Loading the demo's partner program, part by part, in the order in which one builds on another."""

import json
import time
from collections.abc import Callable
from pathlib import Path

from marketplace.demo.program import (
    applications,
    campaigns,
    certification,
    contacts,
    courses,
    credentials,
    deals,
    handovers,
    ideas,
    leads,
    observability,
    onboarding,
    policy,
    scorecards,
    verification,
)

Tell = Callable[[str], None]
PARTS: dict[str, Callable[[Tell], None]] = {
    "policy": policy.load,
    "contacts": contacts.load,
    "onboarding": onboarding.load,
    "applications": applications.load,
    "verification": verification.load,
    "certification": certification.load,
    "courses": courses.load,
    "credentials": credentials.load,
    "leads": leads.load,
    "deals": deals.load,
    "ideas": ideas.load,
    "campaigns": campaigns.load,
    "handovers": handovers.load,
    "scorecards": scorecards.load,
    "observability": observability.load,
}


def load_program(file: Path, *, tell: Tell) -> None:
    """Load the parts that the file names, in its order. Each looks whether its rows are there, so
    that a second time changes nothing and an interrupted one goes on. Raises ValueError that says
    what is wrong with the file."""
    try:
        names = json.loads(file.read_text(encoding="utf-8"))["parts"]
        parts = [PARTS[name] for name in names]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{file.name} cannot be used: {error!r}") from error
    began = time.monotonic()
    for load in parts:
        load(tell)
    tell(f"The partner program in {time.monotonic() - began:.1f} s.")
