"""The site that is measured over HTTP: the application, and a bare Flask page beside it in the
same server. Served by `gunicorn benchmarks.site:app`."""

from flask import Flask
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from marketplace.app import create_app

bare = Flask("bare")
_PAGE = "<!doctype html><title>Bare</title><p>" + "A page of plain text. " * 40


@bare.get("/")
def page() -> str:
    """A page without a database, a template or a session."""
    return _PAGE


app = create_app()
app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {"/bare": bare})
