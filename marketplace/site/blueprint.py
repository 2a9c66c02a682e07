"""The blueprint of what belongs to the site as a whole."""

from flask import Blueprint

blueprint = Blueprint("site", __name__)
