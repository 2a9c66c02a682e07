"""The versions of the policy: the list, one of them, its differences, its file."""

from flask import Response, render_template, request
from flask.typing import ResponseReturnValue

from marketplace.core.errors import NotFoundError
from marketplace.core.pagination import page_number
from marketplace.core.permissions import needs
from marketplace.program.policy import lists, queries
from marketplace.program.policy.difference import Change, differences, grouped
from marketplace.program.policy.document import Policy
from marketplace.program.policy.editing import NoSuchPartError, list_kind
from marketplace.program.policy.forms import EditionForm
from marketplace.program.policy.models import PolicyState, PolicyVersion
from marketplace.program.policy.references import Reference, references
from marketplace.program.policy.views.blueprints import policy_staff
from marketplace.program.policy.words import INNER_PARTS, PARTS
from marketplace.program.policy.yaml_text import TEMPLATES, policy_to_yaml

READ = needs("policy.read", load=queries.find_version, name="version")
PATH = "/staff/policy/<policy_id>"


def _part(policy_id: str, policy_part: str) -> tuple[PolicyVersion, str] | None:
    found = queries.find_version(policy_id)
    if found is None:
        return None
    try:
        kind = list_kind(policy_part)
        if kind != policy_part and policy_in(found).type(policy_part.split(".")[1]) is None:
            raise NotFoundError
    except NoSuchPartError as error:
        raise NotFoundError from error
    return found, policy_part


@policy_staff.get("/staff/policy")
@needs("policy.read")
def index() -> ResponseReturnValue:
    """The version in force, what is to come, drafts and history; without any, where to start."""
    page = queries.page_of_published(page_number(request.args.get("page")))
    drafts, upcoming = queries.drafts(), queries.upcoming()
    live = queries.version_in_force()
    if live is None and not drafts and not upcoming:
        return render_template("program_policy/first.html", templates=TEMPLATES)
    people = queries.names_of(
        [each.published_by_id for each in page.items]
        + [each.published_by_id for each in upcoming]
        + [each.created_by_id for each in drafts]
    )
    return render_template(
        "program_policy/index.html",
        live=live,
        policy=policy_in(live) if live else None,
        upcoming=upcoming,
        drafts=drafts,
        page=page,
        people=people,
        parts=PARTS,
    )


@policy_staff.get(PATH)
@READ
def version(version: PolicyVersion) -> ResponseReturnValue:
    """One version: its parts, and what it changes."""
    policy = policy_in(version)
    before = base_of(version)
    changes = differences(policy_in(before) if before else None, policy)
    return render_template(
        "program_policy/version.html",
        version=version,
        policy=policy,
        parts=PARTS,
        before=before,
        changes=changes,
        groups=grouped(changes),
        people=queries.names_of([version.created_by_id, version.published_by_id]),
        is_live=_is_live(version),
    )


@policy_staff.get(f"{PATH}/parts/<policy_part>")
@needs(
    "policy.read", load=lambda policy_id, policy_part: _part(policy_id, policy_part), name="part"
)
def part(part: tuple[PolicyVersion, str]) -> ResponseReturnValue:
    """One list of a version: its items, in order."""
    version, path = part
    policy = policy_in(version)
    kind = list_kind(path)
    return render_template(
        "program_policy/part.html",
        version=version,
        policy=policy,
        path=path,
        kind=kind,
        inner=path != kind,
        title=lists.title_of(policy, path),
        lead=lists.LEADS[kind],
        singular=lists.SINGULAR[kind],
        rows=lists.rows_of(policy, path),
        inner_parts=INNER_PARTS,
        parts=PARTS,
        form=EditionForm(formdata=None),
    )


@policy_staff.get(f"{PATH}/changes")
@READ
def changes(version: PolicyVersion) -> ResponseReturnValue:
    """The difference between any other version and this one, in words."""
    others = [each for each in queries.versions_to_compare() if each.id != version.id]
    asked = request.args.get("against", "")
    before = next((each for each in others if each.public_id == asked), None)
    if before is None:
        before = base_of(version) or queries.version_in_force() or (others[0] if others else None)
    found: list[Change] = []
    spoken_of: list[Reference] = []
    if before is not None:
        found = differences(policy_in(before), policy_in(version))
        spoken_of = references(policy_in(before), policy_in(version))
    return render_template(
        "program_policy/changes.html",
        version=version,
        before=before,
        others=others,
        changes=found,
        groups=grouped(found),
        spoken_of=spoken_of,
    )


@policy_staff.get(f"{PATH}/policy.yaml")
@READ
def file(version: PolicyVersion) -> ResponseReturnValue:
    """The version as a file that can be edited and uploaded, or applied by the command."""
    name = f"policy-{version.number or 'draft'}.yaml"
    return Response(
        policy_to_yaml(policy_in(version)),
        mimetype="application/yaml",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def policy_in(version: PolicyVersion) -> Policy:
    """What a version says."""
    return Policy.model_validate(version.document)


def base_of(version: PolicyVersion) -> PolicyVersion | None:
    """What a version is compared with: of a draft what is in force, of a published one the one
    published before it."""
    if version.state is PolicyState.PUBLISHED and version.number is not None:
        return queries.version_before(version.number)
    return queries.version_in_force()


def _is_live(version: PolicyVersion) -> bool:
    live = queries.version_in_force()
    return live is not None and live.id == version.id
