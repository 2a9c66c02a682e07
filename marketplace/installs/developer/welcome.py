"""What a developer gets on joining: a sandbox, and a key for it that is shown once."""

from marketplace.core.errors import PorticoError
from marketplace.core.permissions import Actor
from marketplace.identity.models import Organization
from marketplace.installs.developer.key_scopes import scopes_of_role
from marketplace.installs.developer.services.keys import KeyWish, Lifetime, make_key
from marketplace.installs.developer.services.sandbox import ensure_sandbox
from marketplace.installs.models import Environment
from marketplace.program.onboarding.gifts import Gift
from marketplace.program.policy.document import Entry
from marketplace.program.policy.live import current_policy
from marketplace.program.standing.reading import has_module

KEY_NAME = "First sandbox key"


def sandbox_gifts(organization: Organization, actor: Actor) -> list[Gift]:
    """A sandbox and a test key for a new partner whose type serves itself and builds apps."""
    live = current_policy()
    kind = live.policy.type(organization.partner_type) if live else None
    if kind is None or kind.entry is not Entry.EMAIL or not has_module(kind.key, "developer"):
        return []
    ensure_sandbox(organization, actor)
    role = actor.role_in(organization.id)
    wish = KeyWish(
        name=KEY_NAME,
        is_personal=True,
        environment=Environment.TEST,
        scopes=scopes_of_role(role),
        lifetime=Lifetime.DAYS_90.value,
    )
    try:
        _key, token = make_key(actor, wish)
    except PorticoError:
        # Another key of this name is there already: it was shown once, on joining before.
        return []
    return [
        Gift(
            "Your sandbox key",
            "It works in your sandbox alone, a made-up customer of your own, for 90 days. Nothing "
            "in it can reach a real customer.",
            secret=token,
            href="/partner/sandbox",
            link_label="Open the sandbox",
        )
    ]
