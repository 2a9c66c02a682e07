"""The blueprint of the desk, and what its pages share."""

from flask import Blueprint, Response

from marketplace.sales.finance.desk import texts

finance = Blueprint("finance", __name__, url_prefix="/staff/finance")


@finance.after_request
def _never_store(response: Response) -> Response:
    """Whoever uses the browser next finds nothing of the books in its cache."""
    response.headers.setdefault("Cache-Control", "private, no-store")
    return response


@finance.context_processor
def _words() -> dict[str, object]:
    """The words for states and kinds, for every page of the desk."""
    return {"texts": texts}
