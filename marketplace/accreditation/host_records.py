"""TXT records of hosts that partners map: looked up as those of their domains are."""

from marketplace.accreditation.verification.records import LookupFailedError, current_resolver
from marketplace.program.hosts.proving import NoAnswerError


def look_up_host_record(name: str) -> list[str]:
    """The texts of all TXT records of a name. Raises NoAnswerError when nobody answers."""
    try:
        return current_resolver().txt(name)
    except LookupFailedError as error:
        raise NoAnswerError(str(error)) from error
