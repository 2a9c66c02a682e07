"""Editing the groups of words that mean the same to search."""

from marketplace.catalogue.changes import synonyms_changed
from marketplace.catalogue.curation.queries.synonyms import groups
from marketplace.catalogue.curation.synonym_rules import problems, terms_of
from marketplace.catalogue.models import SynonymGroup
from marketplace.core.database import db
from marketplace.core.errors import InvalidError
from marketplace.core.facts import record_fact
from marketplace.core.permissions import Actor


def save_group(actor: Actor, group: SynonymGroup | None, text: str) -> SynonymGroup:
    """Make a group of the text's terms, or change one; search follows in a moment.

    Raises InvalidError with all that is wrong.
    """
    terms = terms_of(text)
    others = [found.terms for found in groups() if group is None or found.id != group.id]
    wrong = problems(terms, others)
    if wrong:
        raise InvalidError({"terms": " ".join(wrong)})
    if group is not None and group.terms == terms:
        return group
    group = group or SynonymGroup()
    group.terms = terms
    db.session.add(group)
    db.session.flush()
    _fact("synonyms.saved", group, actor)
    synonyms_changed()
    return group


def delete_group(actor: Actor, group: SynonymGroup) -> None:
    """Delete a group; search follows in a moment."""
    _fact("synonyms.deleted", group, actor)
    db.session.delete(group)
    db.session.flush()
    synonyms_changed()


def _fact(kind: str, group: SynonymGroup, actor: Actor) -> None:
    record_fact(
        kind,
        subject=("synonym_group", group.id),
        actor_user_id=actor.user_id,
        data={"terms": group.terms},
    )
