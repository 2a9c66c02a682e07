"""Splitting a README into what a listing says: description, setup guide and operations.

READMEs come with images, HTML, tables of contents, code fences that never end and headings of
any level. Pure: a text in, values out; nothing raises.
"""

import re
from dataclasses import dataclass, field
from enum import Enum

MAX_OPERATIONS = 100


class Part(Enum):
    """Where a section of a README goes."""

    DESCRIPTION = "description"
    SETUP = "setup"
    OPERATIONS = "operations"
    NOWHERE = "nowhere"


@dataclass
class Section:
    """A heading with the text below it, up to the next heading."""

    level: int
    title: str
    lines: list[str] = field(default_factory=list)

    @property
    def body(self) -> str:
        """The text, without blank lines or rules at its ends."""
        return _trim(self.lines)


@dataclass(frozen=True)
class Operation:
    """An action or a trigger, as a README describes it."""

    name: str
    description: str = ""


@dataclass
class Readme:
    """What was found. `intro` is the text before the first section."""

    intro: str = ""
    description: list[str] = field(default_factory=list)
    setup: list[str] = field(default_factory=list)
    actions: list[Operation] = field(default_factory=list)
    triggers: list[Operation] = field(default_factory=list)


# Titles that say what they are wherever they stand, …
_ALWAYS: tuple[tuple[Part, re.Pattern[str]], ...] = (
    (
        Part.SETUP,
        re.compile(
            r"pre-?\s?requisite|obtain\w* (?:your |the )?(?:api )?(?:credential|key)"
            r"|get(?:ting)? (?:your |the )?(?:api )?(?:credential|key)|^getting started"
            r"|^deploy(?:ment|ing)|^how to get|^authenticat",
            re.IGNORECASE,
        ),
    ),
    (
        Part.DESCRIPTION,
        re.compile(
            r"known (?:issue|limit|bug)|limitation|frequently asked|^faq|common errors"
            r"|further support|^support$|api documentation|disclaimer",
            re.IGNORECASE,
        ),
    ),
    (Part.NOWHERE, re.compile(r"^publishers?\b|^table of contents?$|^contents?$", re.IGNORECASE)),
    (
        Part.OPERATIONS,
        re.compile(
            r"^(?:supported |available |list of )?(?:operations?|actions?|triggers?)"
            r"(?: and (?:operations?|actions?|triggers?))?(?: supported)?$",
            re.IGNORECASE,
        ),
    ),
)
# … and titles that do so unless they stand inside another part.
_ELSEWHERE = re.compile(
    r"^set(?:ting)?[\s-]?up\b|^install|^configur|^building the|^connect(?:ing|ion)\b|^register"
    r"|^requirements?$|^get started|^authori[sz]",
    re.IGNORECASE,
)
_PLACEHOLDER = re.compile(r"^(?:title|your connector name|description|overview)$", re.IGNORECASE)
_FENCE = re.compile(r"^\s{0,3}(```|~~~)")
_ATX = re.compile(r"^\s{0,3}(#{1,6})\s*(\S.*?)\s*#*\s*$")
_RULE = re.compile(r"^\s*(?:[-*_]\s*){3,}$")
_TOC = re.compile(r"^\s*(?:\[\[?_?toc_?\]\]?|\{:\s*toc\s*\}|\{\{toc\}\})\s*$", re.IGNORECASE)
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_BREAK = re.compile(r"<br\s*/?\s*>", re.IGNORECASE)
_ANCHOR = re.compile(
    r"<a\s[^<>]{0,500}?href\s*=\s*[\"']?(https?://[^\s\"'<>]{1,500})[\"']?[^<>]{0,300}>"
    r"([^<>]{0,300})</a\s*>",
    re.IGNORECASE,
)
_TAG = re.compile(
    r"</?(?:a|abbr|b|big|blockquote|body|button|center|code|dd|details|div|dl|dt|em|figure|font"
    r"|footer|form|h[1-6]|head|header|hr|html|i|iframe|img|input|kbd|li|meta|object|ol|p|picture"
    r"|pre|s|script|small|source|span|strong|style|sub|summary|sup|svg|table|tbody|td|tfoot|th"
    r"|thead|title|tr|u|ul|video)(?:\s[^<>]{0,1000})?/?>",
    re.IGNORECASE,
)
_LINKED_IMAGE = re.compile(
    r"\[!\[[^\]\[]{0,300}\](?:\([^()]{0,1000}\)|\[[^\]]{0,100}\])\]\([^()]*\)"
)
_IMAGE = re.compile(
    r"!\[[^\]\[]{0,500}\]\s?(?:\([^()]{0,2000}(?:\([^()]*\)[^()]*)?\)|\[[^\]]{0,100}\])"
)
_LINK = re.compile(
    r"\[([^\]\[]{1,300})\]\(\s*<?([^()\s<>]{0,1000})>?(?:\s+[\"'][^\"']*[\"'])?\s*\)"
)
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")
# A section that says that it has nothing to say.
_NOTHING = re.compile(
    r"^\W*(?:n/?a|none|(?:there (?:are|is) )?(?:currently )?no (?:known )?"
    r"(?:issues?|limitations?|bugs?)(?: (?:and|or) limitations?)?"
    r"(?: (?:at (?:this|the) (?:time|moment)|known|currently|yet|so far))?)\W*$",
    re.IGNORECASE,
)
_BULLET = re.compile(r"^ {0,3}(?:[-*+•–]|\d{1,3}[.)])\s+(\S.*)$")
_NAME_AND_REST = re.compile(r"^(.{2,80}?)(?:\s*:\s+|\s+[-–—]\s+|\s*:$)(.*)$")


def split_readme(text: str, *, cut: bool = False) -> Readme:
    """The parts of a README. `cut`: its end is missing, so that its last line is not whole."""
    found = Readme()
    parents: list[tuple[int, Part | None]] = []
    groups: list[tuple[Section, list[Section]]] = []
    for position, section in enumerate(_sections(_clean(text, cut=cut))):
        while parents and parents[-1][0] >= section.level:
            parents.pop()
        inherited = parents[-1][1] if parents else None
        part = _part_of(section.title, inherited)
        if position == 0 or (part is None and not found.intro and position == 1):
            # Position 0 is the text before any heading, 1 the title, when it is one.
            if part is None:
                found.intro = f"{found.intro}\n\n{section.body}".strip()
                parents.append((section.level, None))
                continue
        parents.append((section.level, part))
        if part is Part.OPERATIONS:
            if _is(Part.OPERATIONS, section.title) or not groups:
                groups.append((section, []))
            else:
                groups[-1][1].append(section)
        elif part is Part.SETUP:
            found.setup.append(_as_markdown(section))
        elif part is not Part.NOWHERE:
            found.description.append(_as_markdown(section))
    for head, children in groups:
        _read_operations(found, head, children)
    found.description = [text for text in found.description if text]
    found.setup = [text for text in found.setup if text]
    return found


def plain_line(text: str) -> str:
    """A line without Markdown's signs."""
    text = _LINK.sub(r"\1", _IMAGE.sub("", text))
    return " ".join(re.sub(r"[*`]+|(?<!\w)_+|_+(?!\w)|\\(?=[#*_`])", "", text).split())


def _part_of(title: str, inherited: Part | None) -> Part | None:
    plain = plain_line(title).strip(" :.")
    for part, pattern in _ALWAYS:
        if pattern.search(plain):
            return part
    if inherited is not None:
        return inherited
    return Part.SETUP if _ELSEWHERE.search(plain) else None


def _is(part: Part, title: str) -> bool:
    plain = plain_line(title).strip(" :.")
    return any(known is part and pattern.search(plain) for known, pattern in _ALWAYS)


def _clean(text: str, *, cut: bool) -> str:
    text = _INVISIBLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    if cut:
        text = text.rpartition("\n")[0] or text
    text = _COMMENT.sub("", text)
    text = _BREAK.sub("\n", text)
    text = _ANCHOR.sub(lambda m: f"[{m[2].strip() or m[1]}]({m[1]})", text)
    text = re.sub(r"<li(?:\s[^<>]*)?>", "\n- ", text, flags=re.IGNORECASE)
    text = _TAG.sub("", text)
    text = _IMAGE.sub("", _LINKED_IMAGE.sub("", text))
    text = _LINK.sub(_keep_web_link, text)
    return _close_fences(text, cut=cut)


def _keep_web_link(match: re.Match[str]) -> str:
    if re.match(r"(?:https?|mailto):", match[2], re.IGNORECASE):
        return f"[{match[1].strip()}]({match[2]})"
    return match[1]


def _close_fences(text: str, *, cut: bool) -> str:
    """A fence that is never closed would swallow all that follows: it is dropped, or, where
    the text was cut, closed."""
    lines = text.split("\n")
    fences = [number for number, line in enumerate(lines) if _FENCE.match(line)]
    if len(fences) % 2:
        if cut:
            lines.append("```")
        else:
            del lines[fences[-1]]
    return "\n".join(lines)


def _sections(text: str) -> list[Section]:
    """The text before the first heading (level 0), then each heading with its text."""
    sections = [Section(0, "")]
    in_code = False
    for line in text.split("\n"):
        if _FENCE.match(line):
            in_code = not in_code
        heading = None if in_code else _ATX.match(line)
        current = sections[-1].lines
        if heading:
            sections.append(Section(len(heading[1]), plain_line(heading[2])))
        elif not in_code and re.fullmatch(r"={3,}\s*", line) and current and current[-1].strip():
            title = current.pop()
            sections.append(Section(1, plain_line(title)))
        elif not in_code and _TOC.match(line):
            continue
        else:
            current.append(line.rstrip())
    return sections


def _trim(lines: list[str]) -> str:
    kept = list(lines)
    while kept and (not kept[0].strip() or _RULE.match(kept[0])):
        kept.pop(0)
    while kept and (not kept[-1].strip() or _RULE.match(kept[-1])):
        kept.pop()
    return re.sub(r"\n{3,}", "\n\n", "\n".join(kept))


def _as_markdown(section: Section) -> str:
    body = section.body
    if _NOTHING.match(body):
        return ""
    if not body and not section.title:
        return ""
    if not section.title or _PLACEHOLDER.match(section.title):
        return body
    if not body and section.level > 2:
        return ""
    title = section.title.rstrip(" :")
    return f"{'##' if section.level <= 2 else '###'} {title}\n\n{body}".strip()


def _read_operations(found: Readme, head: Section, children: list[Section]) -> None:
    level = min((child.level for child in children), default=0)
    operations = [
        Operation(child.title.strip(" :.")[:80].strip(), _first_paragraph(child.body))
        for child in children
        if child.level == level and 0 < len(child.title.strip(" :.")) <= 80
    ]
    if not operations:
        operations = _listed_operations(head.body)
    if not operations:
        if head.body:
            found.description.append(_as_markdown(head))
        return
    only_triggers = re.search("trigger", head.title, re.IGNORECASE) and not re.search(
        "action|operation", head.title, re.IGNORECASE
    )
    known = {operation.name.casefold() for operation in found.actions + found.triggers}
    for operation in operations:
        if operation.name.casefold() in known:
            continue
        known.add(operation.name.casefold())
        fires = re.match(r"when |.*\btrigger\b", operation.name, re.IGNORECASE)
        target = found.triggers if only_triggers or fires else found.actions
        if len(target) < MAX_OPERATIONS:
            target.append(operation)


def _listed_operations(body: str) -> list[Operation]:
    """Operations given as a plain list; none when the text is anything else."""
    operations = []
    for line in body.split("\n"):
        bullet = _BULLET.match(line)
        if not bullet:
            continue
        text = plain_line(bullet[1])
        parts = _NAME_AND_REST.match(text)
        name = (parts[1] if parts else text).strip(" :.")
        if not 2 <= len(name) <= 80:
            return []
        operations.append(Operation(name, (parts[2] if parts else "").strip()[:300].strip()))
    return operations


def _first_paragraph(body: str) -> str:
    for paragraph in body.split("\n\n"):
        lines = [line for line in paragraph.split("\n") if line.strip()]
        if not lines or _BULLET.match(lines[0]) or lines[0].lstrip().startswith(("|", "```", ">")):
            continue
        return shorten(plain_line(" ".join(lines)), 300)
    return ""


def shorten(text: str, most: int) -> str:
    """`text` within `most` characters, cut at the end of a word with an ellipsis."""
    if len(text) <= most:
        return text
    head = text[: most - 1].rsplit(" ", 1)[0] if " " in text[: most - 1] else text[: most - 1]
    return head.rstrip(" ,;:.-–") + "…"


def first_sentence(text: str) -> str:
    """The first sentence of a plain text, without its full stop."""
    match = re.match(r"(.{9,}?[.!?])(?:\s+[^a-z]|\s*$)", text, re.DOTALL)
    sentence = match[1] if match else text
    return sentence.strip().rstrip(".").strip()
