"""How states of hosts are shown."""

from marketplace.program.hosts.models import HostKind, HostState

# Label and tone of a badge.
STATES = {
    HostState.PENDING: ("Not proven yet", "warning"),
    HostState.ACTIVE: ("Answers", "success"),
    HostState.PAUSED: ("Paused", "neutral"),
}
KINDS = {HostKind.PROGRAM: "The program's portal", HostKind.WHITE_LABEL: "White label"}
