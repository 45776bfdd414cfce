"""The text input: its fitted vocabulary, and texts in the model."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import polars as pl
import pytest
from frames import frame_of
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from mmzoo.errors import DataError, RunError
from mmzoo.lazy import keras, tf
from mmzoo.modalities.text import Text
from mmzoo.modalities.text.encoders import TextEncoder
from mmzoo.run_log import shown_by
from mmzoo.spec.expected_types import ExpectedType

ENCODERS = [
    name
    for name in ExpectedType.from_annotation(TextEncoder).family
    if name not in ("shared", "run")
]
TRAINING = ("The film is good.", "The film is bad!", "good, the good film", "a <br/> plot")


def text_input(encoder: str = "embedding", **fields) -> Text:
    spec = TypeAdapter(TextEncoder).validate_python({"type": encoder})
    return Text(**{"column": "review", "encoder": spec, **fields})


def column(*texts: str | None) -> np.ndarray:
    return np.array([*texts, None], dtype=object)[:-1]


def scanned(spec: Text, values: np.ndarray) -> pl.Series:
    return spec.scan(frame_of({"train": {"review": values}}), "here").values


def fit(spec: Text, values: np.ndarray) -> tuple[Text, dict[str, str]]:
    return spec.fit(scanned(spec, values), "here")


def fitted(**fields) -> tuple[Text, dict[str, str]]:
    spec, files = fit(text_input(**fields), column(*TRAINING))
    return spec, dict(files)


def prepared(spec: Text, files, *texts: str | None) -> tuple[np.ndarray, list[str]]:
    messages: list[str] = []
    with shown_by(messages.append):
        return spec.transform(scanned(spec, column(*texts)), files, "here"), messages


def coverage(spec: Text, files, **splits: list[str | None]) -> str:
    values = {split: scanned(spec, column(*texts)) for split, texts in splits.items()}
    ids = {split: spec.transform(of_split, files, split) for split, of_split in values.items()}
    return spec.coverage_note(values, ids)


def test_the_vocabulary_comes_from_the_training_texts():
    spec, files = fitted()
    assert files == {"vocabulary.txt": "film\ngood\nthe\nis\na\nbad\nplot\n"}
    assert spec.vocabulary_size == 7
    assert fitted(vocabulary_size=3)[1] == {"vocabulary.txt": "film\ngood\nthe\n"}
    assert fitted(min_count=2)[1] == {"vocabulary.txt": "film\ngood\nthe\nis\n"}


def test_ids_begin_after_padding_and_the_unknown_word():
    spec, files = fitted()
    ids, _ = prepared(spec, files, "Good plot", "the NEW film", "")
    assert ids.tolist() == [[3, 8, 0], [4, 1, 2], [1, 0, 0]]
    assert ids.dtype == "uint8"
    assert spec.to_texts(ids, files) == ["good plot", "the [?] film", "[?]"]


def test_characters_are_joined_without_spaces():
    spec, files = fitted(tokens="characters")
    ids, _ = prepared(spec, files, "a bad 电影")
    assert spec.to_texts(ids, files) == ["a bad [?][?]"]


def test_long_texts_are_truncated_at_the_end_or_start():
    assert prepared(*fitted(length=2), "the film is bad")[0].tolist() == [[4, 2]]
    assert prepared(*fitted(length=2, keep="end"), "the film is bad")[0].tolist() == [[5, 7]]


def test_auto_length_truncates_few_texts():
    texts = column(*(" ".join(["word"] * count) for count in range(1, 101)))
    assert fit(text_input(length="auto"), texts)[0].length == 96
    assert fit(text_input(length="auto"), column("", "..", "word", ""))[0].length == 1


def test_unknown_words_and_truncation_are_noted():
    spec, files = fitted(length=3)
    known, some = [*9 * ["the film"], "the film is so new", None], ["some film"]
    assert coverage(spec, files, train=known) == coverage(spec, files, train=[None]) == ""
    assert coverage(spec, files, train=known, validation=some, test=some) == (
        "not in the vocabulary: 50 % of the words of validation, 50 % of the words of test"
    )
    assert coverage(spec, files, all=[*7 * ["the film"], *3 * ["some film is so new"]]) == (
        "not in the vocabulary: 13 % of the words; 30 % of the texts are longer than 3 words and "
        "lose their end (`length: 5` would truncate at most 5 % of them, and take longer)"
    )
    spec, files = fitted(length=3, keep="end", tokens="characters")
    assert coverage(spec, files, all=["goood"]).startswith(
        "100 % of the texts are longer than 3 characters and lose their start"
    )


@pytest.mark.parametrize(
    ("texts", "fields", "message"),
    [
        ((None, "", "?!"), {}, "the 3 training texts have no word."),
        (
            ("one", "two"),
            {"min_count": 2},
            "the 2 training texts have no word that occurs 2 times",
        ),
    ],
)
def test_texts_without_words_cannot_be_fitted(texts, fields, message):
    with pytest.raises(DataError) as raised:
        fit(text_input(missing="empty", **fields), column(*texts))
    assert str(raised.value).startswith(f"here: {message}")


def test_rows_without_a_word_are_bad():
    texts = column("good", None, " ", "?!", "<br />", "好", "")
    frame = frame_of({"train": {"review": texts}})
    scan = text_input().scan(frame, "here")
    assert scan.issues == {
        1: "it has no text",
        2: "its text has no words: text ' '",
        3: "its text has no words: text '?!'",
        4: "its text has no words: text '<br />'",
        6: "its text has no words: text ''",
    }
    assert scan.values.list.len().to_list() == [1, 0, 0, 0, 0, 1, 0]
    assert text_input(missing="empty").scan(frame, "here").issues == {}
    learned = text_input(missing="learned").scan(frame, "here")
    assert learned.issues == {}
    assert learned.values.is_null().to_list() == [False, True, True, True, True, False, True]
    assert 3 not in text_input(punctuation="keep").scan(frame, "here").issues


def test_values_that_are_not_texts_are_refused():
    values = np.zeros((2, 8, 8, 1), "uint8")
    with pytest.raises(DataError, match=r"^here: expected texts, found uint8 of shape \(2, 8, 8"):
        scanned(text_input(), values)


def test_a_damaged_vocabulary_is_refused():
    spec, files = fitted()
    for damaged in ({}, {"vocabulary.txt": files["vocabulary.txt"][:-5]}):
        with pytest.raises(RunError, match=r"^here: vocabulary\.txt in the run's folder"):
            prepared(spec, damaged, "good")


def test_a_batch_is_as_long_as_its_longest_text():
    spec, files = fitted()
    ids, _ = prepared(spec, files, "good", "the film is bad", "a plot", "")
    assert spec.load(tf.constant(ids)).shape == (4, 4)
    short = spec.load(tf.constant(ids[[0, 2]]))
    assert short.dtype == tf.int32
    assert short.numpy().tolist() == [[3, 0], [6, 8]]
    assert spec.load(tf.constant(ids[:0])).shape == (0, 1)


@pytest.mark.parametrize("encoder", ENCODERS)
def test_predictions_do_not_depend_on_other_lengths(encoder):
    """So batches can be trimmed and short texts can stand beside longer ones."""
    keras.utils.set_random_seed(0)
    spec, files = fitted(encoder=encoder)
    x = spec.placeholder("review")
    model = keras.Model(x, spec.features(x).vector)
    ids, _ = prepared(spec, files, "good", "a bad plot", "the film is good, the film is bad", "")
    together = model(spec.load(tf.constant(ids)), training=False).numpy()
    longer = np.pad(ids.astype("int32"), ((0, 0), (0, 11)))
    np.testing.assert_allclose(model(longer, training=False), together, rtol=1e-5, atol=1e-5)
    for row in range(len(ids)):
        separate = model(spec.load(tf.constant(ids[row : row + 1])), training=False)
        np.testing.assert_allclose(separate[0], together[row], rtol=1e-5, atol=1e-5)


@settings(max_examples=40)
@given(st.lists(st.one_of(st.none(), st.text(max_size=30)), min_size=1, max_size=6))
def test_any_text_becomes_ids_in_range_with_padding_at_the_end(texts):
    for unit in ("words", "characters"):
        spec, files = fitted(length=5, tokens=unit, punctuation="keep")
        ids, _ = prepared(spec, files, *texts)
        assert ids.shape[0] == len(texts)
        assert 1 <= ids.shape[1] <= 5
        assert ids.max() < spec.vocabulary_size + 2
        lengths = (ids > 0).sum(axis=1)
        assert (lengths > 0).all()
        assert ((ids > 0) == (np.arange(ids.shape[1]) < lengths[:, None])).all()


@given(st.lists(st.text(min_size=1, max_size=20), min_size=1, max_size=6))
def test_a_fitted_vocabulary_covers_all_training_words(texts):
    spec = text_input(missing="empty", tokens="characters", punctuation="keep")
    try:
        spec, files = fit(spec, column(*texts))
    except DataError:
        return  # There is nothing in them but spaces and controls.
    ids, _ = prepared(spec, files, *texts)
    words = files["vocabulary.txt"].removesuffix("\n").split("\n")
    assert len(words) == len(set(words)) == spec.vocabulary_size
    assert set(np.unique(ids)) - {0, 1} == set(range(2, len(words) + 2))


def test_a_few_real_reviews(real_data):
    path = real_data / "text" / "sst2.csv"
    texts = pl.read_csv(path)["text"].to_numpy()
    spec, files = fit(text_input(length="auto"), texts)
    ids, _ = prepared(spec, files, *texts[:100])
    assert not (ids == 1).any()
    assert files["vocabulary.txt"].startswith("the\na\nand\nof\n")


def test_check_of_a_config_with_texts_imports_no_tensorflow():
    code = (
        "import sys; from mmzoo.config import load_config;"
        "load_config({'name': 'x', 'source': {'type': 'synthetic'}, 'heads': {'y': {'type':"
        " 'binary'}}, 'inputs': {'t': {'type': 'text', 'encoder': {'type': 'lstm'}}}});"
        "heavy = ('tensorflow', 'keras', 'numpy', 'polars');"
        "print([name for name in heavy if name in sys.modules])"
    )
    command = [sys.executable, "-c", code]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "[]\n"
