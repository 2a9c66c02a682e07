"""The mapping of a connectors file onto the catalogue's records.

Such a file has a line for each connector, as software wrote it down from many repositories:
names stand twice, publishers are missing, README files are pasted whole. The file is read
twice: the first time to learn which publishers and names there are, so that slugs do not
depend on the order of the lines. docs/catalogue-format.md has the rules.
"""

import hashlib
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from marketplace.catalogue.exchange import connector_tables as tables
from marketplace.catalogue.exchange.lines import Line, Problem, read_lines
from marketplace.catalogue.exchange.readme import (
    first_sentence,
    plain_line,
    shorten,
    split_readme,
)

SOURCE_PREFIX = "connectors:"
README_CUT_AT = 6_000
NO_REASON = "The publisher gives no reason for this scope."
_LEGAL_FORM = re.compile(r"[,.]?\s+(?:inc|llc|ltd|gmbh|corp|pty|bv|ag|srl|sa)\.?$", re.IGNORECASE)


@dataclass
class Survey:
    """What a first reading of the file found."""

    # source: (wanted slug, publisher key), of the lines that can be used
    names: dict[str, tuple[str, str]] = field(default_factory=dict)
    publishers: dict[str, dict[str, Any]] = field(default_factory=dict)
    first_line: dict[str, int] = field(default_factory=dict)


def is_connector(data: Mapping[str, Any]) -> bool:
    """Whether a line's object looks like one of a connectors file."""
    return "record" not in data and {"name", "source"} <= set(data)


class ConnectorFile:
    """A connectors file as lines of the catalogue's own format."""

    changes_heads = False

    def __init__(self, path: Path) -> None:
        """Read the file once. Raises OSError when it cannot be read."""
        self._path = path
        self._hosts: dict[str, str] = {}
        self.survey = self._survey()
        self._slugs = assign_slugs(self.survey.names, {}, {}, self._publisher_slug)

    def wanted_slugs(self) -> set[str]:
        """Every slug that a listing of the file may get."""
        return {slug for slug, _publisher in self.survey.names.values()}

    def sources(self) -> set[str]:
        """The `source` of each listing of the file."""
        return {SOURCE_PREFIX + source for source in self.survey.names}

    def publisher_slugs(self) -> set[str]:
        """The slug of each publisher of the file."""
        return {str(record["slug"]) for record in self.survey.publishers.values()}

    def settle(
        self,
        known: Mapping[str, str],
        taken: Mapping[str, str | None],
        not_partners: Set[str] = frozenset(),
    ) -> None:
        """Take into account what the catalogue holds: `known` maps a `source` to the slug of
        its listing, `taken` the slugs in use to the `source` of their listing, and
        `not_partners` are slugs of customers and other organizations that publish nothing."""
        for record in self.survey.publishers.values():
            if record["slug"] in not_partners:
                record["slug"] = f"{record['slug'][:72]}-partner"
        self._slugs = assign_slugs(self.survey.names, known, taken, self._publisher_slug)

    def head(self) -> Iterator[Line]:
        """The categories and publishers."""
        for record in tables.CATEGORY_RECORDS:
            yield Line(0, dict(record))
        for key, record in sorted(self.survey.publishers.items()):
            yield Line(self.survey.first_line[key], record)

    def listings(self) -> Iterator[Line | Problem]:
        """The listings, and what is wrong with the lines of the others."""
        seen: set[str] = set()
        for item in read_lines(self._path):
            if isinstance(item, Problem):
                yield item
                continue
            problem = _wrong(item)
            if problem is not None:
                yield problem
                continue
            source = str(item.data["source"])
            if source in seen:
                yield Problem(item.number, "source", "stands on an earlier line too")
                continue
            seen.add(source)
            record, notes = self._record(item.data)
            yield from (Problem(item.number, name, text, refused=False) for name, text in notes)
            yield Line(item.number, record)

    def _survey(self) -> Survey:
        survey = Survey()
        spellings: dict[str, Counter[str]] = defaultdict(Counter)
        by_host: dict[str, set[str]] = defaultdict(set)
        lines: list[tuple[int, str, str, str, str, bool, bool]] = []
        for item in read_lines(self._path):
            if isinstance(item, Problem) or _wrong(item) is not None:
                continue
            data = item.data
            source, owner = str(data["source"]), _publisher_named(data)
            site = web_address(_text(data, "website"))
            host = (urlsplit(site).hostname or "") if site else ""
            if owner:
                spellings[publisher_key(owner)][owner] += 1
                if host and host not in tables.SHARED_HOSTS:
                    by_host[host].add(publisher_key(owner))
            person = _text(data, "kind") == "independent"
            # Who connects somebody else's product does not have its website.
            own = publisher_key(owner) == publisher_key(_text(data, "stack_owner") or owner)
            lines.append((item.number, source, owner, host, clean_name(data), person, own))
        # A connector without a publisher belongs to whom its website belongs, if that is one.
        self._hosts = {host: min(keys) for host, keys in by_host.items() if len(keys) == 1}
        for number, source, owner, host, name, person, own_product in lines:
            if source in survey.names:
                continue
            key = publisher_key(owner) if owner else self._hosts.get(host, "")
            if not key:
                key = publisher_key(name)
                spellings[key][name] += 1
            survey.names[source] = (slugify(name), key)
            survey.first_line.setdefault(key, number)
            record = survey.publishers.setdefault(
                key, {"record": "publisher", "partner_type": "technology"}
            )
            if person:
                record["partner_type"] = "developer"
            elif own_product and host and host not in tables.SHARED_HOSTS:
                record.setdefault("website", f"https://{host}")
        slugs: set[str] = set()
        for key in sorted(survey.publishers):
            record = survey.publishers[key]
            best = sorted(spellings[key].items(), key=lambda pair: (-pair[1], pair[0]))[0][0]
            record["name"] = shorten(best, 80)
            slug = slugify(best)
            record["slug"] = slug if slug not in slugs else f"{slug[:70]}-{len(key)}"
            slugs.add(record["slug"])
            if record["partner_type"] == "developer":
                record.pop("website", None)
        return survey

    def _publisher_slug(self, key: str) -> str:
        return str(self.survey.publishers[key]["slug"])

    def _record(self, data: dict[str, Any]) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        source = str(data["source"])
        _wanted, owner_key = self.survey.names[source]
        owner = self.survey.publishers[owner_key]
        notes: list[tuple[str, str]] = []
        name = clean_name(data)
        raw = mend(_text(data, "readme"), data)
        readme = split_readme(raw, cut=len(raw) >= README_CUT_AT)
        summary = plain_line(mend(_text(data, "description"), data))
        description = _description(name, str(owner["name"]), summary, readme.intro)
        record: dict[str, Any] = {
            "record": "listing",
            "slug": self._slugs[source],
            "publisher": owner["slug"],
            "kind": "integration",
            "name": name,
            "tagline": _tagline(name, str(owner["name"]), summary, readme.intro),
            "description": _bounded("\n\n".join([description, *readme.description])),
            "setup_guide": _bounded("\n\n".join(readme.setup)),
            "categories": _categories(data, notes),
            "aliases": _aliases(name, data),
            "auth_kinds": _auth(data, notes),
            "scopes": _scopes(data, notes),
            "actions": [vars(item) for item in readme.actions],
            "triggers": [vars(item) for item in readme.triggers],
            "source": SOURCE_PREFIX + source,
        }
        for theirs, ours in (("actions", "action_count"), ("triggers", "trigger_count")):
            count = data.get(theirs)
            if isinstance(count, int) and not isinstance(count, bool) and 0 <= count <= 10_000:
                record[ours] = count
            elif count is not None:
                notes.append((theirs, "not a number of operations"))
        for theirs, ours in (
            ("website", "website_url"),
            ("privacy_policy", "privacy_url"),
            ("support_url", "support_url"),
        ):
            written = _text(data, theirs)
            record[ours] = web_address(written)
            if written and not record[ours] and written.casefold() not in tables.PLACEHOLDER_VALUES:
                notes.append((theirs, "not a web address"))
        color = _text(data, "brand_color")
        if re.fullmatch(r"#[0-9a-fA-F]{6}", color):
            record["brand_color"] = color.lower()
        elif color:
            notes.append(("brand_color", "not a colour such as #1f6f8b"))
        if _text(data, "kind") == "certified":
            record["certified"] = True
        return record, notes


def assign_slugs(
    names: Mapping[str, tuple[str, str]],
    known: Mapping[str, str],
    taken: Mapping[str, str | None],
    publisher_slug: Callable[[str], str],
) -> dict[str, str]:
    """A slug for each source, whatever the order of `names`.

    Listings that exist keep theirs. Of those that want the same slug the one whose source
    sorts first gets it; the others get the publisher's slug added and, if that is not
    enough, the last part of their source or, at last, a hash of it.
    """
    slugs = {
        source: known[SOURCE_PREFIX + source] for source in names if SOURCE_PREFIX + source in known
    }
    used = set(slugs.values())
    for source in sorted(names):
        if source in slugs:
            continue
        for slug in _candidates(source, names[source][0], publisher_slug(names[source][1])):
            free = slug not in taken or taken[slug] == SOURCE_PREFIX + source
            if free and slug not in used:
                slugs[source] = slug
                used.add(slug)
                break
    return slugs


def _candidates(source: str, wanted: str, publisher: str) -> Iterator[str]:
    yield wanted
    with_owner = f"{wanted}-{publisher}"[:80].strip("-")
    yield with_owner
    folder = slugify(source.rsplit("/", 1)[-1])[:40].strip("-")
    yield f"{with_owner[: 79 - len(folder)].strip('-')}-{folder}"
    digest = hashlib.sha256(source.encode()).hexdigest()
    for length in (6, 16, 32):
        yield f"{with_owner[: 79 - length].strip('-')}-{digest[:length]}"


def slugify(text: str) -> str:
    """Letters, digits and hyphens, at most 80; never empty."""
    spelled = text.replace("ø", "o").replace("Ø", "O").replace("ß", "ss").replace("æ", "ae")
    spelled = spelled.replace("+", " plus ").replace("#", " sharp ").replace("&", " and ")
    bare = unicodedata.normalize("NFKD", spelled).encode("ascii", "ignore").decode().lower()
    slug = re.sub(r"[^a-z0-9]+", "-", re.sub(r"['’`]", "", bare)).strip("-")[:80].strip("-")
    return slug or "unnamed"


def publisher_key(name: str) -> str:
    """What two spellings of one publisher have in common."""
    return re.sub(r"[^\w]", "", _LEGAL_FORM.sub("", name.strip()).casefold()) or name.casefold()


def web_address(text: str) -> str:
    """A usable address, its scheme mended; empty when there is none."""
    text = text.strip()
    if not text or text.casefold() in tables.PLACEHOLDER_VALUES:
        return ""
    text = re.sub(r"^(?:h{1,3}t{1,3}p{1,2}t?(s?)\s*:/*)+", r"http\1://", text, flags=re.IGNORECASE)
    if "://" not in text:
        text = "https://" + text
    text = text.replace(" ", "%20")
    try:
        parts = urlsplit(text)
        host = parts.hostname or ""
    except ValueError:
        return ""
    if parts.scheme not in {"http", "https"} or not re.fullmatch(r"[\w.-]+\.[a-z]{2,}", host):
        return ""
    address = f"{parts.scheme}://{parts.netloc.lower()}{text.split(parts.netloc, 1)[1]}"
    usable = len(address) <= 500 and not re.search(r"[\s\\<>\"@]", parts.netloc)
    return address if usable and not re.search(r"[\s\\<>\"]", address) else ""


def clean_name(data: Mapping[str, Any]) -> str:
    """The connector's name: mended, in one line, at most 60 characters.

    A placeholder ("Default title") gives way to the connector's id. A longer name is cut at
    the end of a word.
    """
    name = " ".join(mend(_text(data, "name"), data).split())
    identifier = " ".join(_text(data, "id").split())
    if name.casefold() in tables.PLACEHOLDER_NAMES and len(identifier) >= 2:
        name = identifier
    return shorten(name, 60)


def mend(text: str, data: Mapping[str, Any]) -> str:
    """Put back characters that were lost to U+FFFD, where the id has the word in full;
    elsewhere the mark goes, or becomes the apostrophe that it was."""
    if "\ufffd" not in text:
        return text
    whole = unicodedata.normalize("NFC", _text(data, "id"))
    for broken in set(re.findall(r"[^\W_]*(?:\ufffd[^\W_]*)+", text)):
        # One lost character may have been one letter or, with its neighbour, two.
        pattern = "".join(".{1,2}?" if c == "\ufffd" else re.escape(c) for c in broken)
        found = re.search(pattern, whole, re.IGNORECASE)
        if found and len(broken.replace("\ufffd", "")) > 2:
            text = text.replace(broken, found[0])
    text = re.sub("(?<=\\w)\ufffd(?=(?:s|t|re|ve|ll)\\b)", "’", text)
    return text.replace("\ufffd", "")


def _wrong(line: Line) -> Problem | None:
    """Why no listing can be made of the line."""
    for name in sorted(set(line.data) - tables.FIELDS):
        return Problem(line.number, name[:80], "There is no field of this name")
    for name in ("name", "source"):
        value = line.data.get(name)
        if not isinstance(value, str) or not value.strip():
            return Problem(line.number, name, "missing")
    if len(str(line.data["source"])) > 280:
        return Problem(line.number, "source", "longer than 280 characters")
    if len(clean_name(line.data)) < 2:
        return Problem(line.number, "name", "Use at least 2 characters")
    return None


def _text(data: Mapping[str, Any], name: str) -> str:
    value = data.get(name)
    return value.strip() if isinstance(value, str) else ""


def _list(data: Mapping[str, Any], name: str) -> list[str]:
    value = data.get(name)
    if isinstance(value, str):
        value = [value]
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _publisher_named(data: Mapping[str, Any]) -> str:
    """The publisher that the line names, else the owner of the product, else nobody."""
    for name in ("publisher", "stack_owner"):
        value = " ".join(_text(data, name).split())
        if value and value.casefold() not in tables.PLACEHOLDER_VALUES:
            return value
    match = re.search(
        r"^#{1,4}\s*Publisher\s*:\s*(\S[^\n]{1,78})$", _text(data, "readme"), re.MULTILINE
    )
    named = plain_line(match[1]).strip(" .") if match else ""
    return "" if "publisher" in named.casefold() else named


def _categories(data: Mapping[str, Any], notes: list[tuple[str, str]]) -> list[str]:
    found: dict[str, None] = {}
    for word in _list(data, "categories"):
        slug = tables.CATEGORY_OF.get(" ".join(word.split()).casefold())
        if slug is None:
            notes.append(("categories", f"unknown category {word[:40]!r}"))
        else:
            found[slug] = None
    return list(found)[:3] or [tables.OTHER]


def _aliases(name: str, data: Mapping[str, Any]) -> list[str]:
    """The id and the name as it was written, where they are other names."""
    seen = {publisher_key(name)}
    aliases = []
    for other in (_text(data, "id"), _text(data, "name")):
        other = " ".join(other.split())
        if "\ufffd" in other or not 2 <= len(other) <= 60:
            continue
        if publisher_key(other) not in seen:
            seen.add(publisher_key(other))
            aliases.append(other)
    return aliases


def _auth(data: Mapping[str, Any], notes: list[tuple[str, str]]) -> list[str]:
    found: dict[str, None] = {}
    for word in _list(data, "auth"):
        kind = tables.AUTH_OF.get(word.strip().casefold().replace("_", ""))
        if kind is None:
            notes.append(("auth", f"unknown kind {word[:40]!r}"))
        else:
            found[kind] = None
    if not found and re.search(
        r"(?:no|not? require\w*|without|do(?:es)? not use) (?:\w+ ){0,3}(?:credential|authenticat)"
        r"|credentials are not (?:needed|required)",
        _text(data, "readme"),
        re.IGNORECASE,
    ):
        found["none"] = None
    return list(found)


def _scopes(data: Mapping[str, Any], notes: list[tuple[str, str]]) -> list[dict[str, str]]:
    found: dict[str, None] = {}
    for text in _list(data, "scopes"):
        for scope in re.split(r"[\s,;]+", text):
            if not scope:
                continue
            if re.search(r"[{}@()'\"]", scope):
                notes.append(("scopes", f"a placeholder, {scope[:40]!r}"))
                continue
            # An address as a scope is known by its last part.
            found[scope if len(scope) <= 80 else scope.rsplit("/", 1)[-1][-80:]] = None
    return [{"scope": scope, "reason": NO_REASON} for scope in list(found)[:40]]


def _tagline(name: str, publisher: str, summary: str, intro: str) -> str:
    for text in (summary, plain_line(intro)):
        sentence = first_sentence(text)
        if len(sentence) >= 10:
            return shorten(sentence, 120)
    return shorten(f"Connects {name} by {publisher}", 120)


def _description(name: str, publisher: str, summary: str, intro: str) -> str:
    """The summary and the README's first words, unless one holds the other."""

    def bare(text: str) -> str:
        return re.sub(r"\W+", "", plain_line(text)).casefold()

    short, long = bare(summary), bare(intro)
    if not long or long in short or long == bare(name):
        text = summary
    elif not short or short[:60] in long:
        text = intro
    else:
        text = f"{summary}\n\n{intro}"
    if len(text) < 40:
        text = f"{text}\n\n{name} is a connector published by {publisher}.".strip()
    return text


def _bounded(text: str, most: int = 20_000) -> str:
    if len(text) <= most:
        return text.strip()
    return text[:most].rsplit("\n\n", 1)[0].strip()[:most]
