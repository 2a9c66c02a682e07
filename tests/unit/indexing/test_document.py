"""What a search document says."""

import pytest

from marketplace.catalogue.indexing.document import (
    index_text,
    magnitude,
    rating_bands,
    sort_key,
)


@pytest.mark.parametrize(
    ("score", "bucket"), [(-3, 0), (0, 0), (1, 1), (2, 2), (3, 2), (4, 3), (1_000, 10)]
)
def test_a_count_has_an_order_of_magnitude(score: int, bucket: int) -> None:
    assert magnitude(score) == bucket


@pytest.mark.parametrize(
    ("count", "hundredths", "bands"),
    [
        (0, 0, []),
        (3, 90, []),
        (3, 399, ["3", "2", "1"]),
        (3, 400, ["4", "3", "2", "1"]),
        (3, 500, ["4", "3", "2", "1"]),
    ],
)
def test_a_rating_is_in_every_band_below_it(count: int, hundredths: int, bands: list[str]) -> None:
    assert rating_bands(count, hundredths) == bands


@pytest.mark.parametrize(
    ("name", "key"),
    [("Étoile", "etoile"), ("}exghts", "exghts"), ("  Zoho", "zoho"), ("1Me", "1me"), ("++", "++")],
)
def test_names_sort_without_case_accents_or_leading_signs(name: str, key: str) -> None:
    assert sort_key(name) == key


@pytest.mark.parametrize(
    ("markdown", "words"),
    [
        ("# Tides\n\nTells **high** and _low_ water.", "Tides Tells high and low water."),
        ("- one\n* two\n3. three\n> four", "one two three four"),
        ('[label](https://a.example/x "title") and ![alt](b.png)', "label and"),
        ("Use `C#`, C++ and snake_case", "Use C# , C++ and snake_case"),
        ("a<br/>b <script>x</script>", "a b x"),
        ("| a | b |\n|---|---|\n| c | d |", "a b c d"),
        ("", ""),
        ("[" * 5_000, "[" * 5_000),
        ("<" * 5_000, "<" * 5_000),
    ],
)
def test_markdown_becomes_words(markdown: str, words: str) -> None:
    assert index_text(markdown) == words
