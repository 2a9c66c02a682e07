"""What account checks are called."""

from marketplace.pipeline.account_checks.models import CheckState, Level

STATES = {
    CheckState.INVITED: ("Invited", "warning"),
    CheckState.ACCEPTED: ("Accepted", "success"),
    CheckState.DECLINED: ("Declined", "neutral"),
    CheckState.ENDED: ("Ended", "neutral"),
}
LEVELS = {
    Level.COUNTS: "Only how many customers you share",
    Level.NAMES: "Which of your own customers the other one has too",
}


def band_in_words(band: tuple[int, int | None]) -> str:
    """About how many, like `Fewer than 3`, `3 to 9` or `10,000 or more`."""
    least, most = band
    if most is None:
        return f"{least:,} or more"
    return f"{least:,} to {most:,}" if least else f"Fewer than {most + 1}"
