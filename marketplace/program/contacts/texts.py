"""What roles, kinds and states are called."""

from marketplace.program.contacts.models import ContactRole, RequestKind, RequestState

ROLES = {
    ContactRole.PARTNER_MANAGER: "Partner manager",
    ContactRole.MARKETING: "Partner marketer",
    ContactRole.SUPPORT: "Support agent",
    ContactRole.EXECUTIVE_SPONSOR: "Executive sponsor",
}
ROLE_TEXTS = {
    ContactRole.PARTNER_MANAGER: "Your first address for the program, your plans and your tier.",
    ContactRole.MARKETING: "Campaigns, launches and content that you make together with us.",
    ContactRole.SUPPORT: "Technical questions and problems that you cannot solve alone.",
    ContactRole.EXECUTIVE_SPONSOR: "For what is stuck. Your sponsor must answer within three days.",
}
# How a conversation begins, before the role.
KIND_OPENINGS = {
    RequestKind.MESSAGE: "Message to",
    RequestKind.BOOKING: "Meeting with",
    RequestKind.ESCALATION: "Escalation to",
}
KINDS = {
    RequestKind.MESSAGE: "Message",
    RequestKind.BOOKING: "Meeting",
    RequestKind.ESCALATION: "Escalation",
}
# Label and tone of a badge, as the partner sees it.
STATES = {
    RequestState.WAITING: ("Waits for an answer", "warning"),
    RequestState.ANSWERED: ("Answered", "success"),
    RequestState.CLOSED: ("Closed", "neutral"),
}
