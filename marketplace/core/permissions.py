"""Who may do what: one `can(actor, action, resource)` for pages, API, search and mail.

A domain's policies.py registers a rule per action. A view names its action with `@needs`, or
says with `@public` why it needs none; a test walks the URL map and refuses a view with neither.
"""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from marketplace.core.errors import ForbiddenError, NotFoundError, SignInRequiredError

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True)
class MembershipInfo:
    """A membership of the acting person, as far as permissions need it."""

    organization_id: int
    organization_slug: str
    organization_name: str
    organization_kind: str
    role: str
    # Of a partner alone: a type of the policy.
    partner_type: str | None = None


@dataclass(frozen=True)
class Actor:
    """Who acts: a person, acting for one of their organizations, or nobody (`ANONYMOUS`)."""

    user_id: int | None = None
    name: str = ""
    email: str = ""
    timezone: str = "UTC"
    organization: MembershipInfo | None = None
    organizations: tuple[MembershipInfo, ...] = ()
    session_id: int | None = None
    scopes: frozenset[str] = field(default_factory=frozenset)

    @property
    def is_authenticated(self) -> bool:
        return self.user_id is not None

    @property
    def organization_id(self) -> int | None:
        return self.organization.organization_id if self.organization else None

    @property
    def staff_role(self) -> str | None:
        """The role on the platform's own organization, whichever organization is active."""
        for membership in self.organizations:
            if membership.organization_kind == "platform":
                return membership.role
        return None

    @property
    def is_staff(self) -> bool:
        return self.staff_role is not None

    def is_staff_as(self, *roles: str) -> bool:
        """Whether the person is platform staff in one of `roles`; owners and admins always are."""
        return self.staff_role in {*roles, "owner", "admin"}

    def role_in(self, organization_id: int | None) -> str | None:
        """The person's role in that organization, None when not a member."""
        for membership in self.organizations:
            if membership.organization_id == organization_id:
                return membership.role
        return None

    def can(self, action: str, resource: Any = None) -> bool:
        """Whether this actor may do `action` to `resource`."""
        return can(self, action, resource)


ANONYMOUS = Actor()

Rule = Callable[[Actor, Any], bool]
_rules: dict[str, Rule] = {}
_current_actor: list[Callable[[], Actor]] = [lambda: ANONYMOUS]


def rule(action: str) -> Callable[[Rule], Rule]:
    """Register the decorated function as the one rule of `action` (like `listing.edit`)."""

    def register(decide: Rule) -> Rule:
        if action in _rules and _rules[action].__module__ != decide.__module__:
            raise ValueError(f"two rules for {action}")
        _rules[action] = decide
        return decide

    return register


def can(actor: Actor, action: str, resource: Any = None) -> bool:
    """Whether `actor` may do `action` to `resource`. An action without a rule is refused."""
    decide = _rules.get(action)
    return decide is not None and decide(actor, resource)


def known_actions() -> Mapping[str, Rule]:
    """All registered rules by action."""
    return dict(_rules)


def authorize(actor: Actor, action: str, resource: Any = None, *, hidden: bool = False) -> None:
    """Raise unless `actor` may do `action` to `resource`.

    `hidden`: the resource's existence is itself secret, so a refusal looks like its absence.

    Raises SignInRequiredError, ForbiddenError, or NotFoundError when hidden.
    """
    if can(actor, action, resource):
        return
    if not actor.is_authenticated:
        raise SignInRequiredError("Sign in to go on.")
    if hidden:
        raise NotFoundError
    raise ForbiddenError("Your role does not allow this.")


def resolve_actor_with(resolver: Callable[[], Actor]) -> None:
    """Tell how the actor of the current request is found (identity does it)."""
    _current_actor[:] = [resolver]


def current_actor() -> Actor:
    """The actor of the current request."""
    return _current_actor[0]()


def needs(
    action: str,
    *,
    load: Callable[..., Any] | None = None,
    name: str = "resource",
    hidden: bool = True,
) -> Callable[[F], F]:
    """Let a view run only when the current actor may do `action`.

    `load` is called with the view's URL arguments, which it replaces; it returns the resource
    (None: not found), which the view receives as the keyword argument `name`.
    """

    def decorate(view: F) -> F:
        @functools.wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            actor = current_actor()
            if load is None:
                authorize(actor, action)
                return view(*args, **kwargs)
            resource = load(**kwargs)
            if resource is None:
                raise NotFoundError
            authorize(actor, action, resource, hidden=hidden)
            return view(**{name: resource})

        # Read by may_open, and by the test of the URL map.
        guarded.portico_permission = action  # type: ignore[attr-defined]  # see public
        guarded.portico_loads = load is not None  # type: ignore[attr-defined]  # see public
        return guarded  # type: ignore[return-value]  # functools.wraps keeps the signature

    return decorate


def public(reason: str) -> Callable[[F], F]:
    """Mark a view that anybody may use; `reason` says why."""

    def decorate(view: F) -> F:
        view.portico_permission = f"public: {reason}"  # type: ignore[attr-defined]  # see needs
        return view

    return decorate


def may_open(actor: Actor, view: Callable[..., Any] | None) -> bool:
    """Whether a link to that view leads somewhere for this person.

    What depends on the resource of an URL is not known here: such a view counts as open. None, for
    a view that there is not, is closed.
    """
    if view is None:
        return False
    action = getattr(view, "portico_permission", "")
    if action.startswith("public:") or getattr(view, "portico_loads", False):
        return True
    return can(actor, action)
