"""How well a search finds what people mean, over the real connectors, with floors.

The judged cases are our own (benchmarks/relevance). The floors for names hold over all names of
the file, not over a selection; slips are made by a rule, from a seed.
"""

from __future__ import annotations

import json
import random
import string
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from search import FilterField, IndexSpec, Kind, SearchEngine, build_engine
from search.evaluation import (
    Answer,
    Case,
    Judge,
    by_kind,
    figures,
    read_cases,
    run,
    same_name,
    table,
)
from tests.parts import connectors_file

CASES = Path(__file__).parents[2] / "benchmarks" / "relevance" / "cases.jsonl"
SCOPE = ("public",)
SPEC = IndexSpec(
    name="relevance",
    searchable=("name", "publisher", "summary", "categories", "description"),
    facets=(FilterField("category"), FilterField("certified", Kind.BOOL)),
)


def listing(row: dict[str, Any]) -> dict[str, Any]:
    """A connector as a catalogue would send it, with nothing said about popularity."""
    description = row["description"].strip()
    return {
        "id": row["source"],
        "name": row["name"],
        "publisher": row["publisher"],
        "summary": description.split(". ")[0][:160],
        "categories": row["categories"],
        "category": [item.lower() for item in row["categories"]],
        "certified": row["kind"] == "certified",
        "description": f"{description}\n{row.get('readme') or ''}"[:6_000],
        "popularity": 0,
        "audiences": list(SCOPE),
    }


@pytest.fixture(scope="module")
def names() -> dict[str, str]:
    rows = Path(connectors_file()).read_text(encoding="utf-8").splitlines()
    return {row["source"]: row["name"] for row in map(json.loads, rows)}


@pytest.fixture(scope="module")
def engine(names: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    rows = map(json.loads, Path(connectors_file()).read_text(encoding="utf-8").splitlines())
    made = build_engine(None, None, tmp_path_factory.mktemp("relevance"))
    report = made.rebuild(SPEC, map(listing, rows))
    assert report.documents == len(names)
    yield made
    made.close()


def ask(engine: SearchEngine, names: dict[str, str], cases: list[Case]) -> list[Answer]:
    return list(run(engine, SPEC.name, SCOPE, cases, Judge(names)))


def missed(answers: list[Answer], top: int) -> list[tuple[str, tuple[str, ...], int]]:
    return [
        (answer.case.query, answer.case.relevant, answer.rank)
        for answer in answers
        if not 0 < answer.rank <= top
    ]


def slip(name: str, chance: random.Random) -> str:
    """A name with one typo anywhere: a letter lost, added, changed or swapped."""
    places = [at for at, sign in enumerate(name) if sign.isalpha()]
    at = chance.choice(places)
    other = chance.choice([x for x in string.ascii_lowercase if x != name[at].lower()])
    match chance.choice(("lost", "added", "changed", "swapped")):
        case "lost":
            return name[:at] + name[at + 1 :]
        case "added":
            return name[:at] + other + name[at:]
        case "changed":
            return name[:at] + other + name[at + 1 :]
        case _:
            at = min(at, len(name) - 2)
            return name[:at] + name[at + 1] + name[at] + name[at + 2 :]


def test_there_are_enough_judged_cases_of_every_kind() -> None:
    cases = read_cases(CASES)
    assert len(cases) >= 150
    assert len({case.query for case in cases}) == len(cases)


def test_the_judged_cases_are_found(engine: SearchEngine, names: dict[str, str]) -> None:
    answers = ask(engine, names, read_cases(CASES))
    found = by_kind(answers)
    assert found["all"].mrr >= 0.85, f"{table(found)}\n{missed(answers, 1)}"
    assert found["exact name"].first == 1
    for kind, floor in (("prefix", 0.9), ("typo", 0.9), ("split", 0.9), ("summary words", 0.7)):
        assert found[kind].mrr >= floor, f"{table(found)}\n{missed(answers, 1)}"


def test_every_name_is_first_for_itself(engine: SearchEngine, names: dict[str, str]) -> None:
    cases = [Case(name, "exact name", (name,)) for name in names.values()]
    assert missed(ask(engine, names, cases), 1) == []


def test_a_name_with_one_typo_is_among_the_first_three(
    engine: SearchEngine, names: dict[str, str]
) -> None:
    chance = random.Random(20)
    long = [name for name in names.values() if len(same_name(name)) >= 5]
    answers = ask(engine, names, [Case(slip(name, chance), "typo", (name,)) for name in long])
    assert figures(answers).top3 >= 0.95, missed(answers, 3)


def test_a_beginning_of_a_name_finds_it_on_the_first_page(
    engine: SearchEngine, names: dict[str, str]
) -> None:
    chance = random.Random(21)
    cases = []
    for name in names.values():
        if len(name) > 4:
            beginning = name[: chance.randint(4, len(name) - 1)]
            # Ties aside: whatever begins so is as right as the name that was meant.
            alike = {
                other
                for other in names.values()
                if same_name(other).startswith(same_name(beginning))
            }
            cases.append(Case(beginning, "prefix", tuple({name} | alike)))
    answers = ask(engine, names, cases)
    assert figures(answers).recall >= 0.95, missed(answers, 10)


def test_the_spaces_in_a_name_do_not_matter(engine: SearchEngine, names: dict[str, str]) -> None:
    several = [name for name in names.values() if " " in name]
    cases = [Case(name.replace(" ", ""), "split", (name,)) for name in several]
    answers = ask(engine, names, cases)
    assert figures(answers).top3 >= 0.95, missed(answers, 3)


def test_words_around_a_name_do_not_hide_it(engine: SearchEngine, names: dict[str, str]) -> None:
    some = list(names.values())[::3]
    cases = [Case(f"connect to {name}", "exact name", (name,)) for name in some]
    answers = ask(engine, names, cases)
    assert figures(answers).top3 >= 0.9, missed(answers, 3)
