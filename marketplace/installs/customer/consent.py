"""What a consent page says, and whether there is anything to ask at all.

Both ways to install use it: the marketplace's own page and the authorization server.
"""

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import func, select

from marketplace.core.database import db
from marketplace.core.permissions import Actor
from marketplace.identity.models import Organization, OrganizationKind
from marketplace.installs.customer import asking, cap
from marketplace.installs.customer.entitlements import may_install
from marketplace.installs.customer.fingerprint import fingerprint_of
from marketplace.installs.customer.install_policy import Decision, Outcome, decide
from marketplace.installs.customer.queries.installations import live_installation
from marketplace.installs.customer.queries.policies import policy_of, rules_about
from marketplace.installs.customer.roles import SANDBOX_ROLES, role_for
from marketplace.installs.customer.scope_changes import changes_of
from marketplace.installs.customer.shared_data import SharedData, shared_data
from marketplace.installs.models import (
    App,
    ClientKind,
    Environment,
    Installation,
    InstallationState,
    OAuthClient,
    PauseCause,
    ScopeDirection,
)
from marketplace.installs.scopes import ScopeText, describe_scopes

LINKS = ("privacy_url", "terms_url", "support_url", "support_email")


class Verdict(enum.StrEnum):
    """What to do about a wish to install or to get more scopes."""

    CONSENT = "consent"  # show the page and ask
    GRANTED = "granted"  # all of it was granted before: go on
    REQUEST = "request"  # this person must ask an admin
    REFUSED = "refused"  # not possible; Consent.reason says why


@dataclass(frozen=True)
class AskedScope:
    """A scope on the page: in words, with the publisher's reason."""

    text: ScopeText
    reason: str
    is_new: bool


@dataclass(frozen=True)
class Consent:
    """A consent page. `scopes` are all that the installation holds once it is given.

    `fingerprint` stands for everything that was shown: the form sends it back, so that what
    changed meanwhile is shown again instead of being granted unseen.
    """

    verdict: Verdict
    reason: str
    # Why it is refused, for machines: "blocked", "cap", "paused", … ; empty when it is not.
    code: str
    client: OAuthClient
    app: App
    organization: Organization
    asked: tuple[str, ...]
    installation: Installation | None = None
    scopes: tuple[str, ...] = ()
    shown: tuple[AskedScope, ...] = ()
    gone: tuple[ScopeText, ...] = ()
    data_shared: tuple[SharedData, ...] = ()
    version: str | None = None
    # The publisher's addresses that the page names: privacy_url, terms_url, …
    links: Mapping[str, str] = field(default_factory=dict)
    # Whether more data alone is asked about too, see prepare_consent.
    asks_data: bool = False
    fingerprint: str = ""

    @property
    def is_update(self) -> bool:
        """Whether it is installed and asks for more."""
        return self.installation is not None

    @property
    def reading(self) -> tuple[AskedScope, ...]:
        """The scopes that let the app see something."""
        return tuple(s for s in self.shown if s.text.direction is ScopeDirection.READ)

    @property
    def writing(self) -> tuple[AskedScope, ...]:
        """The scopes that let the app change something."""
        return tuple(s for s in self.shown if s.text.direction is ScopeDirection.WRITE)

    @property
    def new_scopes(self) -> tuple[AskedScope, ...]:
        """The scopes that what is installed does not hold."""
        return tuple(scope for scope in self.shown if scope.is_new)

    @property
    def new_data(self) -> tuple[SharedData, ...]:
        """The data that move and were not agreed to."""
        return tuple(part for part in self.data_shared if part.is_new)

    @property
    def news(self) -> list[str]:
        """What an update adds, in words."""
        return [
            *(scope.text.title for scope in self.new_scopes),
            *(part.name for part in self.new_data),
        ]


def organizations_to_install_for(actor: Actor, client: OAuthClient) -> list[Organization]:
    """The organizations for which the person may be asked, by name. One query.

    Live: the person's customers and partners, but neither the app's publisher nor the platform.
    Test: the publisher's sandbox, for the publisher's owners, admins and developers.
    """
    app = client.app
    if app is None:
        return []
    query = select(Organization).where(Organization.suspended_at.is_(None))
    if client.environment is Environment.TEST:
        if actor.role_in(app.publisher_id) not in SANDBOX_ROLES:
            return []
        query = query.where(Organization.sandbox_of_id == app.publisher_id)
    else:
        query = query.where(
            Organization.id.in_([info.organization_id for info in actor.organizations]),
            Organization.kind != OrganizationKind.PLATFORM,
            Organization.sandbox_of_id.is_(None),
            Organization.id != app.publisher_id,
        )
    return list(db.session.scalars(query.order_by(func.lower(Organization.name), Organization.id)))


def prepare_consent(
    actor: Actor,
    client: OAuthClient,
    organization: Organization,
    scopes: Sequence[str],
    *,
    asks_data: bool = False,
) -> Consent:
    """What the page shows for these scopes, and the verdict. Reads only, a constant number of
    queries.

    Without `scopes` the app asks for all that it may, or, where it is installed, for nothing
    more. With `asks_data` the person is asked as well when the listing moves more data than was
    agreed to, though no scope is new; an app that connects itself is not held up by that.
    A client that is no app's is a programming error (ValueError).
    """
    app = client.app
    if app is None:
        raise ValueError("only an app's client asks customers")
    content = asking.content_for(client)
    reasons = asking.reasons_in(content)
    listed = asking.scopes_of(client, content)
    installation = live_installation(app.id, organization.id)
    granted = tuple(installation.granted_scopes) if installation is not None else ()
    asked = tuple(dict.fromkeys(scopes)) or (granted if installation is not None else listed)
    before = (installation.consented_content or {}) if installation is not None else None
    data = shared_data(content, before)
    wants_more = (
        installation is None
        or not set(asked) <= set(granted)
        or (asks_data and _is_published(client, app) and any(part.is_new for part in data))
    )
    verdict, code, reason = _verdict(
        actor, client, app, organization, installation, asked, listed, wants_more=wants_more
    )
    changes = changes_of(granted, asked, listed)
    words = {text.name: text for text in describe_scopes([*changes.scopes, *changes.gone])}
    shown = tuple(
        AskedScope(
            words[name], reasons.get(name, ""), installation is not None and name in changes.new
        )
        for name in changes.scopes
    )
    consent = Consent(
        verdict=verdict,
        reason=reason,
        code=code,
        client=client,
        app=app,
        organization=organization,
        asked=asked,
        installation=installation,
        scopes=changes.scopes,
        shown=shown,
        gone=tuple(words[name] for name in changes.gone),
        data_shared=data,
        version=asking.latest_version(app.listing),
        links={name: str(content.get(name) or "") for name in LINKS},
        asks_data=asks_data,
    )
    return replace(consent, fingerprint=fingerprint_of(consent))


def _verdict(
    actor: Actor,
    client: OAuthClient,
    app: App,
    organization: Organization,
    installation: Installation | None,
    asked: Sequence[str],
    listed: Sequence[str],
    *,
    wants_more: bool,
) -> tuple[Verdict, str, str]:
    """The verdict with a code and a sentence for people (both empty unless it is REFUSED)."""
    granted = installation.granted_scopes if installation is not None else []
    refusal = _unavailable(client, app, organization, adds=wants_more)
    if refusal is not None:
        return Verdict.REFUSED, *refusal
    unknown = sorted(set(asked) - set(listed) - set(granted))
    if unknown:
        names = ", ".join(unknown)
        return Verdict.REFUSED, "scope", f"{app.name} may not ask for this: {names}."
    if installation is not None and installation.state is InstallationState.PAUSED:
        return Verdict.REFUSED, "paused", _why_paused(installation)
    decision = decision_for(actor, app, organization, adds=wants_more)
    if not wants_more and decision.outcome in {Outcome.REQUEST, Outcome.NOTHING}:
        # Whoever may not install may not connect an account of theirs to it in the app either.
        if actor.user_id != (installation.consented_by_id if installation is not None else None):
            sentence = f"{app.name} is installed. Ask an owner or admin of {organization.name} "
            return Verdict.REFUSED, "role", sentence + "to connect it."
        return Verdict.GRANTED, "", ""
    if decision.outcome not in {Outcome.INSTALL, Outcome.REQUEST}:
        return Verdict.REFUSED, decision.outcome.value, explain(decision, organization)
    # Nobody is asked for what nobody could give.
    if installation is None and is_cap_reached(client, app):
        return Verdict.REFUSED, "cap", explain_cap(app)
    if decision.outcome is Outcome.REQUEST:
        return Verdict.REQUEST, "", ""
    entitlement = may_install(app.listing, organization)
    if not entitlement.allowed:
        return Verdict.REFUSED, "entitlement", entitlement.reason
    if not wants_more:
        return Verdict.GRANTED, "", ""
    return Verdict.CONSENT, "", ""


def explain_cap(app: App) -> str:
    """Why an uncertified listing takes no more customers; a sentence for the person."""
    told = " We have told its publisher." if app.cap_told_at is not None else ""
    return (
        f"{app.name} is not certified yet, and {cap.current_cap():,} organizations have installed "
        f"it: we allow no more before that.{told}"
    )


def decision_for(
    actor: Actor, app: App, organization: Organization, *, adds: bool = True
) -> Decision:
    """What the organization's policy lets this person do about the app. At most two queries.

    `adds`: something is installed, or gets more. An allow list holds for that alone.
    """
    role = role_for(actor, organization)
    policy = policy_of(organization.id)
    return decide(
        policy if adds else replace(policy, only_allowed=False),
        rules_about(organization.id, app.listing_id, app.publisher_id),
        role,
        app.listing_id,
        app.publisher_id,
    )


def is_cap_reached(client: OAuthClient, app: App) -> bool:
    """Whether no more organizations may install the app's uncertified listing."""
    listing = app.listing
    if client.environment is not Environment.LIVE or listing is None:
        return False
    if listing.certified_at is not None:
        return False
    return cap.is_reached(cap.count_towards_cap(listing.id), cap.current_cap(), is_certified=False)


def explain(decision: Decision, organization: Organization) -> str:
    """Why a decision lets nobody, or not this person, install; a sentence for the person."""
    if decision.outcome is Outcome.BLOCKED:
        note = f" Their note: {decision.note}" if decision.note else ""
        return f"The admins of {organization.name} have blocked it.{note}"
    if decision.outcome is Outcome.NOT_ALLOWED:
        return f"{organization.name} installs only what its admins have allowed."
    return f"In {organization.name} only owners and admins install apps."


def _is_published(client: OAuthClient, app: App) -> bool:
    """Whether what the client asks is the published listing's, open to new customers."""
    return (
        client.environment is Environment.LIVE
        and app.listing is not None
        and app.listing.is_findable
    )


def _unavailable(
    client: OAuthClient, app: App, organization: Organization, *, adds: bool
) -> tuple[str, str] | None:
    """Why the app as such cannot be installed there: a code and a sentence; else None."""
    listing = app.listing
    if (
        client.kind is not ClientKind.APP
        or client.disabled_at is not None
        or app.archived_at is not None
        or app.publisher.suspended_at is not None
        or (listing is not None and listing.suspended_at is not None)
    ):
        return "unavailable", f"{app.name} cannot be installed at the moment."
    if client.environment is Environment.TEST:
        if organization.sandbox_of_id != app.publisher_id:
            sentence = "Test credentials work in the publisher's own sandbox only."
            return "environment", sentence
        return None
    if organization.sandbox_of_id is not None:
        return "environment", "Live credentials do not work in a sandbox."
    if organization.id == app.publisher_id or organization.kind is OrganizationKind.PLATFORM:
        return "own", f"{organization.name} cannot install {app.name}."
    if listing is None or listing.published_at is None:
        return "not_public", f"{app.name} has no public listing yet."
    if adds and not listing.is_findable:
        return "withdrawn", f"{app.name} was withdrawn and takes no new customers."
    return None


def _why_paused(installation: Installation) -> str:
    if installation.pause_cause is PauseCause.POLICY:
        return "It is paused, because a policy of your organization blocks it."
    if installation.pause_cause is PauseCause.ENTITLEMENT:
        return "It is paused, because your plan does not include it at the moment."
    return "It is paused. Resume it first, on its page under Apps."
