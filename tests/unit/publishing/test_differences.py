"""The readable difference of two contents."""

from typing import Any

import pytest

from marketplace.catalogue.publishing.differences import (
    content_differences,
    image_differences,
    item_differences,
    segments_of,
)
from tests.factories.listings import listing_content


def short(segments: list[dict[str, str]]) -> str:
    mark = {"equal": "", "insert": "+", "delete": "-"}
    return "|".join(mark[part["op"]] + part["text"] for part in segments)


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("", "", ""),
        ("same", "same", "same"),
        ("", "new", "+new"),
        ("old", "", "-old"),
        ("a fast boat", "a slow boat", "a |-fast|+slow| boat"),
        ("one two three", "four five three", "-one two|+four five| three"),
        ("Hello world", "Hello, world", "Hello|+,| world"),
        ("line\none", "line\ntwo", "line\n|-one|+two"),
        ("naïve café", "naïve cafe", "naïve |-café|+cafe"),
    ],
)
def test_texts_differ_word_by_word(before: str, after: str, told: str) -> None:
    assert short(segments_of(before, after)) == told


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a b c " * 50, "a x c " * 40 + "the end"),
        ("word " * 5_000, "word " * 4_999 + "other"),
        ("", "x" * 20_000),
        ("<b>bold</b>", "*bold*"),
        ("a " * 1_400, "a b " * 700),
        ("a\n" * 10_000, "b\na\n" * 5_000),
    ],
)
def test_the_segments_put_together_are_the_texts(before: str, after: str) -> None:
    segments = segments_of(before, after)
    assert "".join(s["text"] for s in segments if s["op"] != "insert") == before
    assert "".join(s["text"] for s in segments if s["op"] != "delete") == after


def test_texts_that_are_made_to_be_slow_are_told_whole() -> None:
    before = " ".join([f"t{number}" for number in range(120)] * 40)
    after = " ".join([f"t{number}" for number in range(120, 0, -1)] * 40)
    assert [part["op"] for part in segments_of(before, after)] == ["delete", "insert"]


def test_a_small_change_in_a_long_text_is_told_by_its_words() -> None:
    words = [f"word{number}" for number in range(2_500)]
    after = [*words[:1_200], "other", *words[1_201:]]
    told = [part for part in segments_of(" ".join(words), " ".join(after)) if part["op"] != "equal"]
    assert told == [{"op": "delete", "text": "word1200"}, {"op": "insert", "text": "other"}]


def test_objects_of_one_name_are_one_item() -> None:
    before = [{"scope": "a", "reason": "Reads it"}, {"scope": "b", "reason": "Writes it"}]
    after = [{"scope": "c", "reason": "Sends it"}, {"scope": "a", "reason": "Reads all"}]
    found = item_differences("scopes", before, after)
    assert [(item.op, item.text) for item in found] == [
        ("insert", "c: Sends it"),
        ("change", "a: Reads all"),
        ("delete", "b: Writes it"),
    ]
    assert short(found[1].segments) == "a: Reads |-it|+all"


def test_choices_are_told_by_their_labels() -> None:
    found = item_differences("auth_kinds", ["oauth2"], ["api_key"])
    assert [(item.op, item.text) for item in found] == [
        ("insert", "API key"),
        ("delete", "OAuth 2.0"),
    ]


def test_images_are_told_by_their_keys() -> None:
    one, two = {"key": "1", "alt": "One"}, {"key": "2", "alt": "Two"}
    found = image_differences([one, two], [{**one, "alt": "First"}, {"key": "3", "alt": "Three"}])
    assert [image.op for image in found] == ["change", "insert", "delete"]


@pytest.mark.parametrize(
    ("change", "names"),
    [
        ({}, []),
        ({"tagline": "Another tagline here"}, ["tagline"]),
        ({"name": "X", "regions": ["eu"], "description": ""}, ["name", "description", "regions"]),
        ({"pricing": {"model": "paid", "summary": "", "url": ""}}, ["pricing"]),
        ({"security": {"retention": "A month"}}, ["security"]),
        ({"logo": {"key": "a", "width": 1, "height": 1}}, ["logo"]),
        ({"action_count": 4}, ["action_count"]),
    ],
)
def test_the_fields_that_differ_are_told_in_the_editors_order(
    change: dict[str, Any], names: list[str]
) -> None:
    base = listing_content()
    found = content_differences(base, {**base, **change})
    assert [item.name for item in found] == names
    assert all(item.segments or item.items or item.images for item in found)


def test_a_sensitive_field_is_marked() -> None:
    base = listing_content()
    found = content_differences(base, {**base, "name": "Other", "tagline": "Something else"})
    assert [item.sensitive for item in found] == [True, False]
