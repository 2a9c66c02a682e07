"""The pages of sign-in, account and organizations: one blueprint, a module per subject."""

from marketplace.identity.views import account, auth, invitations, members, organizations
from marketplace.identity.views.blueprint import blueprint

__all__ = ["account", "auth", "blueprint", "invitations", "members", "organizations"]
