"""Giving and declining consent: what installs an app, and what updates its scopes."""

from contextlib import suppress
from dataclasses import replace
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import joinedload

from marketplace.catalogue.engagement.services.uses import declare_use
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, ForbiddenError
from marketplace.core.facts import record_fact
from marketplace.core.permissions import Actor, MembershipInfo
from marketplace.identity.models import Organization
from marketplace.installs.credentials import new_public_id
from marketplace.installs.customer import mails
from marketplace.installs.customer.consent import (
    Consent,
    Verdict,
    explain_cap,
    is_cap_reached,
    prepare_consent,
)
from marketplace.installs.customer.install_policy import ADMINS
from marketplace.installs.customer.queries.declines import declines_of
from marketplace.installs.customer.queries.people import addresses_of_admins, addresses_of_makers
from marketplace.installs.customer.roles import role_for
from marketplace.installs.customer.services.recording import (
    lock_app,
    lock_installation,
    lock_organization,
    record,
)
from marketplace.installs.customer.services.requests import decline_request
from marketplace.installs.customer.updates import NOTHING_DECLINED
from marketplace.installs.measures import measure_installation
from marketplace.installs.models import (
    App,
    Environment,
    Installation,
    InstallationState,
    InstallRequest,
    InstallRequestState,
)

# The code of the ConflictError that asks for showing the page again.
CHANGED = "consent_changed"


def give_consent(actor: Actor, consent: Consent, *, shown: str | None = None) -> Installation:
    """Install the app, or add the scopes to what is installed; the installation.

    `shown` is the fingerprint that the page's form sent back. A second click finds the work done
    and gets the same installation. Everything is decided again under a lock.

    Raises ConflictError (code `consent_changed`) when the page would say something else now,
    ForbiddenError (its code is Consent.code) when it is not possible, or not for this person.
    """
    lock_app(consent.app.id)
    lock_organization(consent.organization.id)
    # What was read before the locks may be old.
    db.session.expire_all()
    now = prepare_consent(
        actor, consent.client, consent.organization, consent.asked, asks_data=consent.asks_data
    )
    if now.verdict is Verdict.GRANTED and now.installation is not None:
        return now.installation
    if now.verdict is Verdict.REFUSED:
        if now.code == "cap":
            tell_cap_reached(now.app)
            raise ForbiddenError(explain_cap(now.app), code=now.code)
        raise ForbiddenError(now.reason, code=now.code)
    if now.verdict is Verdict.REQUEST:
        raise ForbiddenError("Ask an owner or admin of your organization.", code="request")
    if now.fingerprint != (consent.fingerprint if shown is None else shown):
        raise ConflictError(
            "What the app asks for changed while you were reading. Read it again.", code=CHANGED
        )
    if now.installation is None:
        return _install(actor, now)
    return _upgrade(actor, now, now.installation)


def decline_consent(actor: Actor, consent: Consent) -> None:
    """Note that the person declined. Nothing is installed, and what is installed goes on with
    the scopes that it has; a member's open request for the update is declined with it.

    Declining the same again, or twice at once, is noted once."""
    if consent.installation is None:
        record_fact(
            "installation.declined",
            subject=("app", consent.app.public_id),
            actor_user_id=actor.user_id,
            organization_id=consent.organization.id,
            data={"scopes": list(consent.scopes)},
        )
        return
    installation = consent.installation
    lock_installation(installation)
    scopes = [scope.text.name for scope in consent.new_scopes]
    data = [part.key for part in consent.new_data]
    before = declines_of([installation.id]).get(installation.id, NOTHING_DECLINED)
    if installation.is_live and not before.covers(scopes, data):
        record(
            installation,
            "update_declined",
            actor.user_id,
            tells_partner=False,
            data={"scopes": scopes, "data": [list(key) for key in data]},
        )
    request = _open_request(installation)
    if request is not None:
        # Somebody else may close it at this moment, which is as well.
        with suppress(ConflictError):
            decline_request(actor, installation.organization, request)


def tell_cap_reached(app: App) -> None:
    """Mail the publisher once that its uncertified listing takes no more installations.

    It is told when the last place is taken, and when somebody is refused (the cap may have been
    lowered); whoever answers that refusal with an error status calls keep_writes().
    """
    addresses = addresses_of_makers(app.publisher_id)
    if not addresses or app.listing is None:
        return
    told = db.session.execute(
        update(App)
        .where(App.id == app.id, App.cap_told_at.is_(None))
        .values(cap_told_at=clock.now(), updated_at=App.updated_at)
        .execution_options(synchronize_session=False)
    )
    db.session.refresh(app, ["cap_told_at"])
    if getattr(told, "rowcount", 0) == 1:
        for address in addresses:
            mails.tell_cap_reached(address, app.listing)


def consented_content(consent: Consent) -> dict[str, Any]:
    """What the page said, kept to show the difference at the next consent."""
    return {
        "scopes": [{"scope": s.text.name, "reason": s.reason} for s in consent.shown],
        "data_shared": [
            {"object": part.name, "direction": part.direction, "purpose": part.purpose}
            for part in consent.data_shared
        ],
        "version": consent.version,
    }


def _install(actor: Actor, consent: Consent) -> Installation:
    at = clock.now()
    installation = Installation(
        public_id=new_public_id("inst"),
        app_id=consent.app.id,
        listing_id=consent.app.listing_id,
        organization_id=consent.organization.id,
        environment=consent.client.environment,
        state=InstallationState.ACTIVE,
        granted_scopes=list(consent.scopes),
        consented_content=consented_content(consent),
        consented_by_id=actor.user_id,
        consented_at=at,
        installed_at=at,
    )
    db.session.add(installation)
    record(
        installation,
        "installed",
        actor.user_id,
        data={"scopes": list(consent.scopes), "version": consent.version},
    )
    measure_installation(installation)
    listing = consent.app.listing
    if installation.environment is Environment.LIVE and listing is not None:
        declare_use(acting_for(actor, consent.organization), listing)
    if is_cap_reached(consent.client, consent.app):
        tell_cap_reached(consent.app)
    _close_request(actor, installation, is_update=False)
    _tell_admins(actor, installation)
    return installation


def _upgrade(actor: Actor, consent: Consent, installation: Installation) -> Installation:
    before = list(installation.granted_scopes)
    added = [name for name in consent.scopes if name not in before]
    removed = [name for name in before if name not in consent.scopes]
    installation.granted_scopes = list(consent.scopes)
    installation.consented_content = consented_content(consent)
    installation.consented_by_id = actor.user_id
    installation.consented_at = clock.now()
    record(
        installation,
        "upgraded",
        actor.user_id,
        data={
            "added": added,
            "removed": removed,
            "added_data": [part.name for part in consent.new_data],
            "version": consent.version,
        },
        event={"added_scopes": added, "removed_scopes": removed},
    )
    _close_request(actor, installation, is_update=True)
    return installation


def acting_for(actor: Actor, organization: Organization) -> Actor:
    """The same person acting for `organization`, whichever was active."""
    return replace(
        actor,
        organization=MembershipInfo(
            organization_id=organization.id,
            organization_slug=organization.slug,
            organization_name=organization.name,
            organization_kind=organization.kind.value,
            role=role_for(actor, organization) or "",
        ),
    )


def _close_request(actor: Actor, installation: Installation, *, is_update: bool) -> None:
    """An open request for what was granted now is approved; its author is told."""
    request = _open_request(installation)
    if request is None:
        return
    request.state = InstallRequestState.APPROVED
    request.decided_by_id = actor.user_id
    request.decided_at = clock.now()
    if request.requested_by_id != actor.user_id:
        mails.tell_request_approved(request, installation, is_update=is_update)


def _open_request(installation: Installation) -> InstallRequest | None:
    if installation.listing_id is None:
        return None
    return db.session.scalar(
        select(InstallRequest)
        .where(
            InstallRequest.organization_id == installation.organization_id,
            InstallRequest.listing_id == installation.listing_id,
            InstallRequest.state == InstallRequestState.OPEN,
        )
        .options(joinedload(InstallRequest.listing))
    )


def _tell_admins(actor: Actor, installation: Installation) -> None:
    """Owners and admins learn what somebody else installed in their organization's name."""
    if role_for(actor, installation.organization) in ADMINS:
        return
    for address in addresses_of_admins(installation.organization_id):
        mails.tell_installed_by_member(address, actor.name, installation)
