"""All addresses of the platform API on its blueprint."""

from marketplace.api.v1.platform.blueprint import blueprint
from marketplace.api.v1.platform.views import (
    analytics,
    events,
    installation,
    installations,
    listings,
    me,
    reviews,
    versions,
)

for subject in (me, installation, listings, versions, installations, reviews, events, analytics):
    subject.group.mount(blueprint)

__all__ = ["blueprint"]
