"""What a partner's owners and admins are written when its standing moves."""

from datetime import datetime

from flask import current_app

from marketplace.core.mail import send_mail
from marketplace.program.policy.document import Policy
from marketplace.program.scorecards.queries import people_told
from marketplace.program.scorecards.rules import Values, gaps, unmet
from marketplace.program.scorecards.texts import gap_in_words
from marketplace.program.standing.models import MoveKind, Standing, StandingMove


def tell_moved(
    move: StandingMove, standing: Standing, policy: Policy, partner_type: str | None, values: Values
) -> None:
    """Tell of a move that an evaluation made, or a person; the same move never twice."""
    written = _words(move, standing, policy, partner_type, values)
    if written is None:
        return
    subject, text = written
    site = str(current_app.config["SITE_NAME"])
    address = f"{current_app.config['PUBLIC_URL']}/partner/scorecard"
    for person in people_told(move.organization_id):
        if person.email:
            send_mail(
                person.email,
                subject,
                f"Hello {person.name},\n\n{text}\n\nYour scorecard: {address}\n\n{site}",
                dedupe_key=f"standing_move:{move.id}:{person.id}",
            )


def _words(
    move: StandingMove, standing: Standing, policy: Policy, partner_type: str | None, values: Values
) -> tuple[str, str] | None:
    came_from, now_at = _tier(policy, move.from_tier), _tier(policy, move.to_tier)
    missing = _missing(policy, partner_type, move.from_tier, values)
    match move.kind:
        case MoveKind.PROMOTED:
            return f"You are {now_at} now", f"You have reached {now_at}. It counts from now on."
        case MoveKind.GRACE_BEGAN:
            day = _day(standing.grace_until)
            return (
                f"{came_from} is yours until {day}",
                f"You no longer meet everything that {came_from} asks for. You keep it until {day} "
                f"(end of the day, UTC). Meet it again until then and nothing changes; otherwise "
                f"you move to what you have earned by then, {now_at} as it looks today.\n\n"
                f"What is missing:\n{missing}",
            )
        case MoveKind.GRACE_ENDED:
            return f"You meet {now_at} again", f"You meet everything that {now_at} asks for again."
        case MoveKind.DEMOTED if policy.tier(move.from_tier) is None:
            return (
                f"You are {now_at} now",
                f"The tier that you had is no longer part of the program. By what you have earned "
                f"you are {now_at}. What you bought and were promised before stays as it was.",
            )
        case MoveKind.DEMOTED:
            return (
                f"You are {now_at} now",
                f"The days of grace are over: you move from {came_from} to {now_at}. What you "
                f"bought and were promised before stays as it was.\n\n"
                f"What {came_from} asks for and is missing:\n{missing}",
            )
        case MoveKind.CONFIRMED:
            if move.by_user_id is not None and move.evaluation_id is None:
                text = f"Your place in the program is confirmed. Reason: {move.reason}"
                return "You are confirmed", text
            return (
                "You are confirmed",
                "You are certified, so your place in the program is confirmed.",
            )
        case MoveKind.LAPSED:
            return (
                "Your place in the program has lapsed",
                "The provisional time is over and nothing of yours is certified. Your tier and "
                "its benefits have ended; your listings and your account stay. Write to your "
                "partner manager to come back.",
            )
        case MoveKind.OVERRIDDEN:
            return f"You are {now_at} now", f"Your tier was set to {now_at}. Reason: {move.reason}"
        case MoveKind.OVERRIDE_ENDED:
            return (
                f"You are {now_at} now",
                f"The time for which your tier was set to {came_from} is over. By what you have "
                f"earned you are {now_at}.",
            )
        case _:
            return None


def _missing(policy: Policy, partner_type: str | None, tier_key: str | None, values: Values) -> str:
    tier = policy.tier(tier_key)
    if tier is None:
        return "- The tier is no longer part of the program."
    if tier.types and partner_type not in tier.types:
        return f"- {tier.name} is not open to partners of your type."
    open_gaps = unmet(gaps(policy, partner_type, tier, values))
    return "\n".join(f"- {gap_in_words(gap, policy)}" for gap in open_gaps)


def _tier(policy: Policy, key: str | None) -> str:
    tier = policy.tier(key)
    return tier.name if tier else (key or "")


def _day(moment: datetime | None) -> str:
    return f"{moment.day} {moment:%B %Y}" if moment else ""
