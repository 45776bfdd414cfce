"""Tokenization of texts in many languages."""

# ruff: noqa: RUF001 (letters that look alike are what is tested)

from __future__ import annotations

import unicodedata

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmzoo.data.frame import to_series
from mmzoo.modalities.text.tokenizer import Tokenizer, tokenize

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=60)
"""Halves of surrogate pairs, controls and unassigned characters too."""


def series(*texts: str | None) -> pl.Series:
    return to_series("text", np.array([*texts, None], dtype=object)[:-1])


def tokens(text, unit="words", lowercase=True, punctuation="remove", html="remove"):
    tokenizer = Tokenizer(unit, lowercase, punctuation, html)
    [of_text] = tokenize(series(text), tokenizer).to_list()
    return of_text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The film's GREAT!", ["the", "film's", "great"]),
        (
            "Don\N{RIGHT SINGLE QUOTATION MARK}t 'stop' rock'n'roll",
            ["don't", "stop", "rock'n'roll"],
        ),
        ("a_b c-d 3.5 1980s", ["a", "b", "c", "d", "3", "5", "1980s"]),
        ("Straße ÉTÉ naïve", ["straße", "été", "naïve"]),
        ("e\N{COMBINING ACUTE ACCENT}te", ["éte"]),
        ("ﬁne Ｈｅｌｌｏ", ["fine", "hello"]),
        ("co\N{SOFT HYPHEN}operate", ["cooperate"]),
        ("नमस्ते दुनिया", ["नमस्ते", "दुनिया"]),
        (
            "hi\N{LINE SEPARATOR}there\x85you\x0bnow\tthen\nend",
            ["hi", "there", "you", "now", "then", "end"],
        ),
        ("so good 😀👍", ["so", "good", "😀", "👍"]),
        ("🇩🇪🇫🇷", ["🇩🇪", "🇫🇷"]),
        ("I ❤️ it", ["i", "❤", "it"]),
        (
            "caf&eacute; &#233;t&#xE9; &amp;lt; &copy; a&b; &nothing;",
            ["café", "été", "lt", "©", "a", "b", "nothing"],
        ),
        ("", []),
        (None, []),
        (" ?! ... -- \x00 ", []),
    ],
)
def test_words(text, expected):
    assert tokens(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("我爱Python编程。", ["我", "爱", "python", "编", "程"]),
        ("日本語です", ["日", "本", "語", "で", "す"]),
        ("iPhone６发布", ["iphone6", "发", "布"]),
        ("한국어 영화", ["한국어", "영화"]),
    ],
)
def test_scripts_without_spaces_are_split_into_characters(text, expected):
    assert tokens(text) == expected


def test_characters():
    assert tokens("Ab , 我\n\n爱! 👍", "characters") == [*"ab 我 爱 👍"]
    assert tokens(" ! ?\n", "characters") == []
    assert tokens(" A, b\t", "characters", lowercase=False, punctuation="keep") == list("A, b")


def test_case_and_punctuation_can_be_kept():
    assert tokens("Oh, NO!!", lowercase=False) == ["Oh", "NO"]
    assert tokens("Oh, no!! it's $5", punctuation="keep") == [
        *("oh", ",", "no", "!", "!", "it's", "$", "5")
    ]
    assert tokens("你好，世界。", punctuation="keep") == [*"你好,世界。"]


def test_html_is_removed_unless_kept():
    review = 'Bad.<br /><br/>Very <A HREF="x">bad</a>&nbsp;&amp; it&#39;s <3 <unk> a<b, b>c'
    expected = ["bad", "very", "bad", "it's", "3", "unk", "a", "b", "b", "c"]
    assert tokens(review) == expected
    assert tokens("x<br />y", html="keep") == ["x", "br", "y"]
    assert tokens("&lt;b&gt;", punctuation="keep") == ["<", "b", ">"]


@given(
    text=ANY_TEXT,
    unit=st.sampled_from(["words", "characters"]),
    lowercase=st.booleans(),
    punctuation=st.sampled_from(["remove", "keep"]),
    html=st.sampled_from(["remove", "keep"]),
)
def test_tokens_have_no_line_breaks(text, unit, lowercase, punctuation, html):
    for token in tokens(text, unit, lowercase, punctuation, html):
        assert token
        assert token == " " or not any(map(str.isspace, token))
        assert not any(unicodedata.category(character) in ("Cc", "Cf", "Cs") for character in token)
        assert token.splitlines() == [token]


@given(st.lists(st.one_of(st.none(), ANY_TEXT), max_size=5))
def test_texts_are_tokenized_independently(texts):
    tokenizer = Tokenizer("words", True, "keep", "remove")
    together = tokenize(series(*texts, "x"), tokenizer).to_list()
    assert together == [*(tokens(text, punctuation="keep") for text in texts), ["x"]]


def test_many_texts_keep_their_order():
    numbers = series(*(f"text {number}" for number in range(25_000)))
    found = tokenize(numbers, Tokenizer("words", True, "remove", "remove")).list.last()
    found = found.cast(pl.String).cast(pl.Int64).to_numpy()
    np.testing.assert_array_equal(found, np.arange(25_000))
