"""Staff write the operator's scopes in words for the people who consent to them."""

import re
from dataclasses import dataclass

from marketplace.catalogue.content import clean_text
from marketplace.core import clock
from marketplace.core.database import db
from marketplace.core.errors import ConflictError, InvalidError
from marketplace.core.facts import record_fact
from marketplace.core.once import insert_if_new
from marketplace.core.permissions import Actor
from marketplace.installs.customer.queries.scopes import who_asks
from marketplace.installs.customer.texts import has_visible
from marketplace.installs.models import Scope, ScopeDirection
from marketplace.installs.scopes import is_ours

MAX_NAME, MAX_TITLE, MAX_DESCRIPTION = 80, 80, 300
# RFC 6749 lets a scope have any visible character but quotation mark and backslash; addresses
# and logs are glad of fewer, and people of names that differ in more than the case of letters.
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*([.:][a-z0-9_-]+)+")


@dataclass(frozen=True)
class ScopeWords:
    """What people read of a scope; `direction` is read or write."""

    title: str
    description: str = ""
    direction: str = ScopeDirection.READ.value
    is_sensitive: bool = False


def add_scope(actor: Actor, name: str, words: ScopeWords) -> Scope:
    """Describe a scope that nobody has described yet. Raises InvalidError by field."""
    name = name.strip()
    errors = _problems(words)
    if not _NAME.fullmatch(name) or len(name) > MAX_NAME:
        errors["name"] = (
            "Use lower-case words of letters, digits, dashes and underscores, joined by dots, like "
            "tides.read."
        )
    elif is_ours(name):
        errors["name"] = "This scope belongs to the marketplace itself."
    if errors:
        raise InvalidError(errors)
    at = clock.now()
    added = insert_if_new(
        Scope,
        name=name,
        title=_line(words.title),
        description=_line(words.description),
        direction=ScopeDirection(words.direction),
        is_sensitive=words.is_sensitive,
        created_at=at,
        updated_at=at,
    )
    if added is None:
        raise InvalidError({"name": "This scope is described already."})
    _fact("scope.added", actor, name)
    return db.session.get_one(Scope, name)


def change_scope(actor: Actor, scope: Scope, words: ScopeWords) -> None:
    """Write other words for a scope; consent pages show them from now on. Raises InvalidError."""
    errors = _problems(words)
    if errors:
        raise InvalidError(errors)
    scope.title, scope.description = _line(words.title), _line(words.description)
    scope.direction = ScopeDirection(words.direction)
    scope.is_sensitive = words.is_sensitive
    _fact("scope.changed", actor, scope.name)


def delete_scope(actor: Actor, scope: Scope) -> None:
    """Delete the words of a scope that nobody asks for or holds. Raises ConflictError."""
    if who_asks(scope.name).is_used:
        raise ConflictError("Listings or installations use this scope, so it keeps its words.")
    _fact("scope.deleted", actor, scope.name)
    db.session.delete(scope)
    db.session.flush()


def _problems(words: ScopeWords) -> dict[str, str]:
    errors = {}
    if not has_visible(words.title):
        errors["title"] = "Say what the app may then do, like “See contacts”."
    elif len(_line(words.title)) > MAX_TITLE:
        errors["title"] = f"Use at most {MAX_TITLE} characters."
    if len(_line(words.description)) > MAX_DESCRIPTION:
        errors["description"] = f"Use at most {MAX_DESCRIPTION} characters."
    if words.direction not in {choice.value for choice in ScopeDirection}:
        errors["direction"] = "Choose whether it sees or changes data."
    return errors


def _line(text: str) -> str:
    return " ".join(clean_text(text).split())


def _fact(kind: str, actor: Actor, name: str) -> None:
    record_fact(kind, subject=("scope", name), actor_user_id=actor.user_id)
