import pytest

from search.text import MAX_WORD, fold, is_sign, located, words


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Node.js", ["node", "js"]),
        ("C++ and C# and F#", ["c++", "and", "c#", "and", "f#"]),
        ("notepad++", ["notepad++"]),
        ("issue#12 a#b", ["issue", "12", "a", "b"]),
        ("Africa's Talking", ["africas", "talking"]),
        ("Café ÀÉÎ Ørsted straße", ["cafe", "aei", "orsted", "strasse"]),
        ("OpenText™ Core®", ["opentext", "core"]),
        ("ﬁne ½", ["fine", "1", "2"]),
        ("İstanbul", ["istanbul"]),
        ("東京 data", ["東", "京", "data"]),
        ("한국어", ["한국어"]),
        ("हिन्दी", ["हिन्दी"]),
        ("snake_case", ["snake", "case"]),
        ("🚀 !? --", []),
        ("", []),
    ],
)
def test_text_is_cut_into_folded_words(text: str, found: list[str]) -> None:
    assert words(text) == found


def test_a_very_long_word_is_cut() -> None:
    assert words("a" * 500) == ["a" * MAX_WORD]


def test_folding_twice_changes_nothing() -> None:
    for text in ("İstanbul", "ß", "Ǆ", "ΐ", "Café", "한국어", "ﬃ"):
        assert fold(fold(text)) == fold(text)


def test_words_are_located_in_the_text_as_it_was_written() -> None:
    text = "Le Café's ½ C#"
    assert [(text[start:end], folded) for start, end, folded in located(text)] == [
        ("Le", ("le",)),
        ("Café's", ("cafes",)),
        ("½", ("1", "2")),
        ("C#", ("c#",)),
    ]


def test_accents_written_as_marks_of_their_own_belong_to_their_word() -> None:
    text = "Cafe\u0301 x"
    assert [(text[start:end], folded) for start, end, folded in located(text)] == [
        ("Cafe\u0301", ("cafe",)),
        ("x", ("x",)),
    ]


@pytest.mark.parametrize(
    ("word", "sign"), [("東", True), ("ไ", True), ("a", False), ("東京", False)]
)
def test_signs_are_words_of_scripts_without_spaces(word: str, sign: bool) -> None:
    assert is_sign(word) is sign


@pytest.mark.parametrize(
    "text", ["C++ C# x#1 a_b-c++d", "plain words 42", "'quoted' it's", "C# C## ##C a++ +a+ ++"]
)
def test_the_quick_way_for_ascii_finds_the_same_words(text: str) -> None:
    assert words(text) == [word for word in words(text + " 東") if word != "東"]
