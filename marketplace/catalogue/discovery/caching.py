"""Headers of public pages: one copy for everybody who is not signed in."""

from flask import Response, request, session

from marketplace.core.permissions import current_actor


def for_everybody(response: Response, *, shared_seconds: int = 30) -> None:
    """Let caches keep a page that is the same for all who are not signed in.

    A browser asks again each time and gets 304 while nothing has changed (ETag); a shared cache
    may answer for `shared_seconds`. A page for somebody signed in, or with a form's token in it,
    is for that browser alone.
    """
    response.vary.add("Cookie")
    if current_actor().is_authenticated or session or session.modified:
        response.headers["Cache-Control"] = "private, no-cache"
        return
    response.headers["Cache-Control"] = (
        f"public, max-age=0, s-maxage={shared_seconds}, must-revalidate"
    )
    response.add_etag()
    response.make_conditional(request)
