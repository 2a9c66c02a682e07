"""Catalogues to measure on: the real one, and larger ones made of its words.

PORTICO_CONNECTORS names a connectors file; without it the demo catalogue is the source.
"""

import json
import os
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from marketplace.catalogue.exchange.connectors import slugify
from marketplace.catalogue.exchange.lines import Line
from marketplace.catalogue.exchange.sources import detect_format, open_source
from marketplace.demo.load import FOLDER

SEED = 20261123
KINDS = ("integration", "integration", "integration", "app", "service", "template")
PRICING = ("free", "freemium", "paid", "contact")
AUTH = ("oauth2", "api_key", "basic", "none")
DIRECTIONS = ("read", "write", "two_way")


@dataclass(frozen=True)
class Source:
    """The records that everything is made of."""

    name: str
    path: Path
    heads: list[dict[str, Any]]
    listings: list[dict[str, Any]]


def read_source() -> Source:
    """The real catalogue of this machine. Raises OSError when its file cannot be read."""
    named = os.environ.get("PORTICO_CONNECTORS")
    path = Path(named) if named else FOLDER / "catalogue.jsonl"
    source = open_source(path, detect_format(path))
    heads = [item.data for item in source.head() if isinstance(item, Line)]
    listings = [item.data for item in source.listings() if isinstance(item, Line)]
    return Source("connectors" if named else "demo", path, heads, listings)


def write_catalogue(source: Source, size: int, path: Path) -> int:
    """Write a catalogue of about `size` listings; how many it has.

    Up to the size of the source it is the source; beyond, listings are made of its words.
    """
    with path.open("w", encoding="utf-8") as file:
        for record in source.heads:
            file.write(json.dumps(record) + "\n")
        count = 0
        for record in _listings(source, size):
            file.write(json.dumps(record) + "\n")
            count += 1
    return count


def _listings(source: Source, size: int) -> Iterator[dict[str, Any]]:
    plain = [_without_files(record) for record in source.listings]
    yield from plain[:size]
    if size <= len(plain) * 2:
        # 1k is the real catalogue as it is.
        return
    rng = random.Random(SEED)
    words = sorted({word for record in plain for word in _words(record["name"])})
    sentences = [
        sentence
        for record in plain
        for sentence in re.split(r"(?<=[.!?])\s+", record["description"])[:8]
        if 30 <= len(sentence) <= 300
    ]
    taglines = [record["tagline"] for record in plain]
    for number in range(len(plain), size):
        yield _made(rng, number, words, sentences, taglines, rng.choice(plain))


def _made(
    rng: random.Random,
    number: int,
    words: Sequence[str],
    sentences: Sequence[str],
    taglines: Sequence[str],
    like: dict[str, Any],
) -> dict[str, Any]:
    name = " ".join(rng.sample(words, rng.choice((1, 2, 2, 3))))[:60].strip()
    name = name if len(name) >= 2 else f"{name} {number}"
    return {
        "record": "listing",
        "slug": f"{slugify(name)[:60]}-{number}",
        "publisher": like["publisher"],
        "kind": rng.choice(KINDS),
        "name": name,
        "tagline": rng.choice(taglines),
        "description": "\n\n".join(rng.sample(sentences, min(6, len(sentences)))),
        "categories": like["categories"],
        "works_with": sorted({rng.choice(words)[:60] for _ in range(rng.randrange(3))}),
        "data_shared": [{"object": "Records", "direction": rng.choice(DIRECTIONS)}],
        "auth_kinds": [rng.choice(AUTH)],
        "pricing": {"model": rng.choice(PRICING)},
        "languages": rng.sample(("en", "de", "fr", "ja", "pt-BR"), rng.randrange(1, 4)),
        "certified": rng.random() < 0.3,
        "published_on": f"202{rng.randrange(3, 7)}-0{rng.randrange(1, 10)}-1{rng.randrange(10)}",
    }


def _words(name: str) -> list[str]:
    return [word for word in re.findall(r"[\w.+#-]+", name) if len(word) >= 3]


def _without_files(record: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name not in {"logo", "screenshots"}}


def mixed_queries(
    names: Sequence[str], taglines: Sequence[str], count: int
) -> list[dict[str, Any]]:
    """Queries as people mix them: names, beginnings, mistakes, words, filters and orders."""
    rng = random.Random(SEED)
    queries: list[dict[str, Any]] = []
    for _ in range(count):
        draw, name = rng.random(), rng.choice(names)
        if draw < 0.3:
            queries.append({"q": name})
        elif draw < 0.5:
            queries.append({"q": name[: rng.randrange(3, 7)]})
        elif draw < 0.65 and len(name) > 5:
            at = rng.randrange(1, len(name) - 1)
            queries.append({"q": name[:at] + name[at + 1 :]})
        elif draw < 0.85:
            words = re.findall(r"\w{4,}", rng.choice(taglines)) or [name]
            queries.append({"q": " ".join(rng.sample(words, min(2, len(words))))})
        elif draw < 0.95:
            queries.append({"q": name.split()[0], "auth": rng.choice(AUTH)})
        else:
            queries.append(
                {"sort": rng.choice(("newest", "name", "popular")), "kind": "integration"}
            )
    return queries
