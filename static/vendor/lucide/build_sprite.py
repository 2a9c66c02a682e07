"""Write static/img/icons.svg from the icons of lucide-static named in icons.txt.

    python static/vendor/lucide/build_sprite.py node_modules/lucide-static/icons

The product's own symbol (a solid star) is added here too.
"""

import re
import sys
from pathlib import Path

HERE = Path(__file__).parent
STAR = (
    "M10 1.9l2.45 4.97 5.48.8-3.97 3.86.94 5.46L10 14.41l-4.9 2.58.94-5.46L2.07 7.67l5.48-.8z"
)


def symbol(name: str, source: Path) -> str:
    """Return one icon as a <symbol>: its shapes without the outer <svg> and white space."""
    text = (source / f"{name}.svg").read_text()
    inner = re.search(r"<svg[^>]*>(.*)</svg>", text, re.DOTALL)
    if inner is None:
        raise SystemExit(f"{name}.svg has no <svg> element")
    shapes = re.sub(r">\s+<", "><", inner[1].strip()).replace(" />", "/>")
    # Stroke and fill are inherited from `.icon` of the page's style sheet.
    return f'<symbol id="{name}" viewBox="0 0 24 24">{shapes}</symbol>'


def main() -> None:
    """Build the sprite from the folder given on the command line."""
    source = Path(sys.argv[1])
    names = (HERE / "icons.txt").read_text().split()
    star = f'<path fill="currentColor" d="{STAR}"/>'
    symbols = [symbol(name, source) for name in names]
    symbols.append(f'<symbol id="star-solid" viewBox="0 0 20 20">{star}</symbol>')
    notice = "<!-- Icons: Lucide (ISC), see static/vendor/lucide/LICENSE -->"
    head = f'<svg xmlns="http://www.w3.org/2000/svg">{notice}\n'
    sprite = head + "\n".join(symbols) + "\n</svg>\n"
    (HERE.parent.parent / "img" / "icons.svg").write_text(sprite)


if __name__ == "__main__":
    main()
