"""Groups of synonyms."""

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from marketplace.catalogue.curation.forms import SynonymForm
from marketplace.catalogue.curation.queries.synonyms import find_group, groups
from marketplace.catalogue.curation.services import synonyms as services
from marketplace.catalogue.curation.views.blueprint import asked_text, curation
from marketplace.catalogue.engagement.views.returning import show_errors
from marketplace.catalogue.models import SynonymGroup
from marketplace.core.errors import InvalidError
from marketplace.core.permissions import current_actor, needs


@curation.get("/synonyms")
@needs("synonyms.manage")
def synonyms() -> ResponseReturnValue:
    """All groups, or those that hold a word, and a form for another."""
    return _list_page(SynonymForm())


@curation.post("/synonyms")
@needs("synonyms.manage")
def create_synonyms() -> ResponseReturnValue:
    """Make a group."""
    form = SynonymForm()
    try:
        services.save_group(current_actor(), None, form.terms.data or "")
    except InvalidError as error:
        show_errors(form, error)
        return _list_page(form), 422
    flash("The group is made. Search follows in a moment.", "success")
    return redirect(url_for("curation.synonyms"), code=303)


@curation.get("/synonyms/<int:group_id>")
@needs("synonyms.manage", load=find_group, name="group")
def edit_synonyms(group: SynonymGroup) -> ResponseReturnValue:
    """The form of one group."""
    form = SynonymForm(formdata=None, data={"terms": "\n".join(group.terms)})
    return render_template("curation/synonym_form.html", form=form, group=group)


@curation.post("/synonyms/<int:group_id>")
@needs("synonyms.manage", load=find_group, name="group")
def change_synonyms(group: SynonymGroup) -> ResponseReturnValue:
    """Change a group."""
    form = SynonymForm()
    try:
        services.save_group(current_actor(), group, form.terms.data or "")
    except InvalidError as error:
        show_errors(form, error)
        return render_template("curation/synonym_form.html", form=form, group=group), 422
    flash("Saved. Search follows in a moment.", "success")
    return redirect(url_for("curation.synonyms"), code=303)


@curation.get("/synonyms/<int:group_id>/deletion")
@needs("synonyms.manage", load=find_group, name="group")
def synonyms_deletion(group: SynonymGroup) -> ResponseReturnValue:
    """Ask before a group is deleted."""
    return render_template("curation/synonym_deletion.html", group=group)


@curation.post("/synonyms/<int:group_id>/deletion")
@needs("synonyms.manage", load=find_group, name="group")
def delete_synonyms(group: SynonymGroup) -> ResponseReturnValue:
    """Delete a group."""
    services.delete_group(current_actor(), group)
    flash("The group is deleted.", "success")
    return redirect(url_for("curation.synonyms"), code=303)


def _list_page(form: SynonymForm) -> str:
    text = asked_text().casefold()
    found = [group for group in groups() if not text or any(text in term for term in group.terms)]
    return render_template("curation/synonyms.html", groups=found, form=form, q=text)
