"""A partner's view of who installed its apps, and the erasures that customers asked for."""

import re
from typing import Any

from flask import request
from flask.typing import ResponseReturnValue
from pydantic import Field
from sqlalchemy import Row

from marketplace.api.v1.parameters import Parameter, choice
from marketplace.api.v1.platform import rendering
from marketplace.api.v1.platform.answers import PAGING, answer, answer_page, read_place
from marketplace.api.v1.platform.authentication import Credential
from marketplace.api.v1.platform.bodies import Body, read_body
from marketplace.api.v1.platform.errors import TestCredentialError
from marketplace.api.v1.platform.guard import token_needs
from marketplace.api.v1.platform.operations import Group, Reply
from marketplace.api.v1.platform.queries import installations as queries
from marketplace.api.v1.platform.schemas.installations import (
    ERASURE,
    ERASURE_PAGE,
    ERASURE_STATES,
    INSTALLATION,
    INSTALLATION_PAGE,
    INSTALLATION_STATES,
)
from marketplace.api.v1.platform.schemas.me import ENVIRONMENTS
from marketplace.installs.customer.services.erasures import (
    MAX_RECEIPT,
    MIN_RECEIPT,
    complete_erasure,
)
from marketplace.installs.models import Environment, ErasureRequest, InstallationState

group = Group("Installations")
_APP_ID = r"app_[0-9a-f]{24}"
_ID = re.compile(r"[a-z]{1,8}_[0-9a-z]{1,32}")
STATE = choice("state", INSTALLATION_STATES, "Only in this state.")
APP = Parameter(
    "app",
    "Only of this app.",
    {"type": "string", "pattern": f"^({_APP_ID})?$"},
    re.compile(_APP_ID),
    "Use an app's id.",
)
ENVIRONMENT = choice(
    "environment",
    ENVIRONMENTS,
    "Live, or in the sandbox; by default the credential's. Test credentials see the sandbox alone.",
)
ERASURE_STATE = choice("state", ERASURE_STATES, "Only in this state.")


def own_installation(credential: Credential, installation_id: str) -> Row[Any] | None:
    """The installation of one of the partner's apps that the credential may see."""
    if not _ID.fullmatch(installation_id):
        return None
    test = credential.environment is Environment.TEST
    return queries.partner_installation(
        credential.partner_id, Environment.TEST if test else None, installation_id
    )


def own_erasure(credential: Credential, erasure_id: str) -> ErasureRequest | None:
    """The erasure that one of the partner's apps was asked for."""
    if not _ID.fullmatch(erasure_id):
        return None
    return queries.erasure(credential.partner_id, credential.environment, erasure_id)


@group.operation(
    "GET",
    "/partner/installations",
    id="listInstallations",
    summary="List installations",
    description="Who installed your apps, removed ones included, the oldest first.",
    replies={200: Reply("A page of installations.", INSTALLATION_PAGE, ("Link",))},
    parameters=(*PAGING, STATE, APP, ENVIRONMENT),
)
@token_needs("partner.installations.read", action="platform.read")
def partner_installations(credential: Credential) -> ResponseReturnValue:
    """Installations of the partner's apps."""
    place = read_place(credential, "installations", STATE, APP, ENVIRONMENT)
    state = request.args.get("state")
    rows = queries.partner_installations(
        credential.partner_id,
        _environment(credential),
        state=InstallationState(state) if state else None,
        app=request.args.get("app") or None,
        after=place.after,
        limit=place.limit,
    )
    return answer_page(
        credential,
        "installations",
        place,
        rows,
        number=lambda row: row.row_id,
        render=rendering.installation,
    )


@group.operation(
    "GET",
    "/partner/installations/<installation_id>",
    id="getPartnerInstallation",
    summary="Read an installation",
    description="One installation of one of your apps.",
    replies={200: Reply("The installation.", INSTALLATION)},
    problems=(404,),
)
@token_needs("partner.installations.read", action="platform.read", load=own_installation)
def partner_installation(_credential: Credential, found: Row[Any]) -> ResponseReturnValue:
    """One of them."""
    return answer(rendering.installation(found))


@group.operation(
    "GET",
    "/erasures",
    id="listErasures",
    summary="List requests to erase data",
    description="What customers who removed your apps asked you to erase, the oldest first.",
    replies={200: Reply("A page of erasures.", ERASURE_PAGE, ("Link",))},
    parameters=(*PAGING, ERASURE_STATE),
)
@token_needs("partner.erasures.write", action="platform.read")
def erasures(credential: Credential) -> ResponseReturnValue:
    """Erasures that the partner's apps were asked for."""
    place = read_place(credential, "erasures", ERASURE_STATE)
    state = request.args.get("state")
    rows = queries.erasures(
        credential.partner_id,
        credential.environment,
        is_open=state == "open" if state else None,
        after=place.after,
        limit=place.limit,
    )
    return answer_page(
        credential,
        "erasures",
        place,
        rows,
        number=lambda row: row.id,
        render=rendering.erasure,
    )


class ErasureReceipt(Body):
    """What you erased."""

    receipt: str = Field(
        min_length=MIN_RECEIPT,
        max_length=MAX_RECEIPT,
        description="What was erased, or what must be kept and why. The customer reads it.",
        examples=["All tides and settings were erased on 3 December."],
    )


@group.operation(
    "POST",
    "/erasures/<erasure_id>/receipt",
    id="confirmErasure",
    summary="Confirm an erasure",
    description="Says that the data are erased. The customer is told. The first receipt counts: "
    "sending another one later changes nothing.",
    replies={200: Reply("The erasure, confirmed.", ERASURE)},
    body=ErasureReceipt,
    problems=(404,),
)
@token_needs("partner.erasures.write", action="platform.confirm_erasure", load=own_erasure)
def confirm_erasure(credential: Credential, erasure: ErasureRequest) -> ResponseReturnValue:
    """The receipt of an erasure."""
    receipt = read_body(ErasureReceipt).receipt
    complete_erasure(erasure, receipt, user_id=credential.actor.user_id)
    return answer(rendering.erasure(erasure))


def _environment(credential: Credential) -> Environment:
    wanted = request.args.get("environment")
    if not wanted:
        return credential.environment
    if wanted == Environment.LIVE and credential.environment is Environment.TEST:
        raise TestCredentialError("Test credentials see the sandbox alone.")
    return Environment(wanted)
