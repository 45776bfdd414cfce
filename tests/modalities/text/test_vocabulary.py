"""The vocabulary: the most frequent words, and its file."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmzoo.errors import RunError
from mmzoo.modalities.text.tokenizer import encode_ids
from mmzoo.modalities.text.vocabulary import format_vocabulary, most_frequent, read_vocabulary


def lists(*tokens: list[str]) -> pl.Series:
    return pl.Series(tokens, dtype=pl.List(pl.String)).cast(pl.List(pl.Categorical))


def test_the_most_frequent_come_first_and_ties_in_the_order_of_their_text():
    tokens = lists(["b", "a", "c"], [], ["c"], ["d", "c", "é", "Z"])
    assert most_frequent(tokens, 10, 1) == ["c", "Z", "a", "b", "d", "é"]
    assert most_frequent(tokens.reverse(), 3, 1) == ["c", "Z", "a"]
    assert most_frequent(tokens, 10, 2) == ["c"]
    assert most_frequent(tokens, 10, 4) == []


WORDS = st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1), unique=True)


@given(WORDS)
def test_a_vocabulary_file_round_trips(words):
    text = format_vocabulary(words)
    assert read_vocabulary(text.encode().decode(), len(words), "here") == words
    assert format_vocabulary(read_vocabulary(text, len(words), "here")) == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, " is missing. "),
        ("", " is damaged: expected 3 lines as config.yaml says (`vocabulary_size`), found 0. "),
        (
            "a\nb\n",
            " is damaged: expected 3 lines as config.yaml says (`vocabulary_size`), found 2. ",
        ),
        (
            "a\nb\nc\nd\n",
            " is damaged: expected 3 lines as config.yaml says (`vocabulary_size`), found 4. ",
        ),
        ("a\nb\nc", " is damaged: the last line, 3, is incomplete. "),
        ("a\n\nc\n", ", line 2: expected a word, found none. "),
        ("a\nb\na\n", ", line 3: repeats the word of line 1. "),
    ],
)
def test_a_damaged_file_is_refused_with_its_place(text, message):
    with pytest.raises(RunError) as raised:
        read_vocabulary(text, 3, "inputs.review")
    assert str(raised.value) == (
        "inputs.review: vocabulary.txt in the run's folder `preprocessing`"
        f"{message}Restore the file, or train again."
    )


def test_ids_are_line_numbers_with_padding_at_the_end():
    ids = encode_ids(lists(["a", "x", "b"], [], ["b"]), ["b", "a"])
    assert ids.tolist() == [[3, 1, 2], [1, 0, 0], [2, 0, 0]]
    assert ids.dtype == "uint8"


@pytest.mark.parametrize(
    ("words", "dtype"), [(254, "uint8"), (255, "uint16"), (65_534, "uint16"), (65_535, "uint32")]
)
def test_ids_use_the_smallest_dtype(words, dtype):
    vocabulary = [str(word) for word in range(words)]
    ids = encode_ids(lists([vocabulary[-1]]), vocabulary)
    assert ids.dtype == dtype
    assert ids.tolist() == [[words + 1]]


def test_no_texts_give_ids_of_length_one():
    assert encode_ids(lists(), ["a"]).shape == (0, 1)
