"""The icons that a category may have."""

import re
from pathlib import Path

from marketplace.catalogue.curation.icons import CATEGORY_ICONS
from marketplace.config import ROOT


def test_every_icon_of_the_list_is_in_the_sprite_once() -> None:
    sprite = (Path(ROOT) / "static/img/icons.svg").read_text()
    known = set(re.findall(r'id="([^"]+)"', sprite))
    assert set(CATEGORY_ICONS) <= known
    assert len(set(CATEGORY_ICONS)) == len(CATEGORY_ICONS)
