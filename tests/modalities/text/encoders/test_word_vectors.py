"""Word vectors: every file format, damaged files, and loading into an encoder."""

from __future__ import annotations

import bz2
import gzip
import lzma
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

from mmzoo.errors import DataError
from mmzoo.lazy import keras
from mmzoo.modalities.text.encoders import TextEmbedding, TextLSTM
from mmzoo.modalities.text.word_vectors import read_vectors
from mmzoo.run_log import shown_by

WORDS = ["film", "don't", "très", "电影", "new york", "rare"]
VECTORS = np.random.RandomState(0).normal(size=(len(WORDS), 4)).astype("float32")
VOCABULARY = ["the", "très", "film", "电影", "unheard"]
"""Requested words: in another order, and some missing from the file."""


def lines(words=WORDS, vectors=VECTORS, header=False, end=""):
    rows = [
        f"{word} {' '.join(repr(float(number)) for number in vector)}{end}\n"
        for word, vector in zip(words, vectors, strict=True)
    ]
    head = [f"{len(words)} {vectors.shape[1]}\n"] if header else []
    return "".join(head + rows).encode()


def glove(path: Path) -> Path:
    path = path / "glove.txt"
    path.write_bytes(lines())
    return path


def fasttext(path: Path) -> Path:
    """With a header and a space at the end of each line, as fastText writes."""
    path = path / "wiki.vec"
    path.write_bytes(lines(header=True, end=" "))
    return path


def word2vec_binary(words=WORDS, vectors=VECTORS, between=b"\n") -> bytes:
    rows = [
        word.replace(" ", "_").encode() + b" " + vector.astype("<f4").tobytes() + between
        for word, vector in zip(words, vectors, strict=True)
    ]
    return f"{len(words)} {vectors.shape[1]}\n".encode() + b"".join(rows)


def word2vec(path: Path) -> Path:
    path = path / "google.bin"
    path.write_bytes(word2vec_binary())
    return path


def gensim(path: Path) -> Path:
    """Without line breaks between the words."""
    path = path / "gensim.BIN"
    path.write_bytes(word2vec_binary(between=b""))
    return path


def arrays(path: Path) -> Path:
    path = path / "vectors.npz"
    np.savez(path, words=np.array(WORDS), vectors=VECTORS.astype("float64"))
    return path


def arrays_of_bytes(path: Path) -> Path:
    path = path / "vectors.npz"
    words = np.array([word.encode() for word in WORDS])
    np.savez_compressed(path, words=words, vectors=VECTORS.astype("float16"))
    return path


@pytest.mark.parametrize(
    "write", [glove, fasttext, word2vec, gensim, arrays, arrays_of_bytes], ids=lambda f: f.__name__
)
def test_every_format_returns_the_requested_words(write, tmp_path):
    found = read_vectors(write(tmp_path), VOCABULARY, 4)
    assert found.indices.tolist() == [1, 2, 3]
    expected = VECTORS[[WORDS.index(VOCABULARY[place]) for place in found.indices]]
    np.testing.assert_allclose(found.vectors, expected, rtol=1e-2 if "bytes" in str(write) else 0)
    assert found.vectors.dtype == np.float32


@pytest.mark.parametrize("write", [glove, fasttext], ids=lambda f: f.__name__)
def test_words_of_text_files_may_contain_spaces(write, tmp_path):
    found = read_vectors(write(tmp_path), ["new york", "new", "york"], 4)
    assert found.indices.tolist() == [0]
    np.testing.assert_array_equal(found.vectors[0], VECTORS[4])


def test_first_vector_of_a_repeated_word_is_used(tmp_path):
    path = tmp_path / "x.txt"
    path.write_bytes(lines(["film", "film"], VECTORS[:2]))
    np.testing.assert_array_equal(read_vectors(path, ["film"], 4).vectors, VECTORS[:1])


def test_file_without_requested_words_gives_no_vectors(tmp_path):
    found = read_vectors(glove(tmp_path), ["nothing", "of", "it"], 4)
    assert found.indices.shape == (0,)
    assert found.vectors.shape == (0, 4)


def test_windows_line_breaks(tmp_path):
    path = tmp_path / "x.txt"
    path.write_bytes(lines(header=True).replace(b"\n", b"\r\n"))
    np.testing.assert_array_equal(read_vectors(path, WORDS, 4).vectors, VECTORS)


def test_dim_1_is_not_a_header(tmp_path):
    """Except on the first line, where a word and a number look like a header."""
    path = tmp_path / "x.txt"
    path.write_bytes(b"2 1\n7 1\n8 2\n")
    np.testing.assert_array_equal(read_vectors(path, ["7", "8"], 1).vectors, [[1], [2]])


def message(path: Path, dim: int = 4, vocabulary=("film", "电影", "rare")) -> str:
    with pytest.raises(DataError) as caught:
        read_vectors(path, vocabulary, dim)
    return str(caught.value)


@pytest.mark.parametrize("write", [glove, fasttext, word2vec, arrays], ids=lambda f: f.__name__)
@pytest.mark.parametrize("dim", [3, 5, 100])
def test_dim_mismatch_reports_the_right_dim(write, dim, tmp_path):
    path = write(tmp_path)
    assert message(path, dim) == (
        f"word vectors: {path} has vectors of 4 numbers, expected {dim}, which is the encoder's "
        "`dim`: set `dim: 4`, or use another file"
    )


@pytest.mark.parametrize(
    ("name", "pack"),
    [
        ("glove.txt.gz", gzip.compress),
        ("wiki.vec.bz2", bz2.compress),
        ("wiki.xz", lzma.compress),
        ("google.bin", gzip.compress),
    ],
)
def test_compressed_text_is_an_error(name, pack, tmp_path):
    path = tmp_path / name
    path.write_bytes(pack(lines()))
    assert "byte 0: the file is compressed (" in message(path)
    assert message(path).endswith("): decompress it first")


def test_zip_file_is_an_error(tmp_path):
    path = tmp_path / "glove.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("glove.txt", lines())
    assert message(path).endswith("byte 0: the file is compressed (zip): decompress it first")


def test_missing_file_is_an_error(tmp_path):
    assert "there is no such file; relative paths start at" in message(tmp_path / "x.txt")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (lines()[:-20] + b"\n", "line 6: expected a word and 4 numbers, separated by spaces"),
        (lines().replace(b"rare ", b"rare x"), "line 6: expected a word and 4 numbers"),
        (lines() + b"\n", "line 7: expected a word and 4 numbers"),
        (b"", None),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "line 1: expected a word and 4 numbers"),
        (b"\x00" * 2_500_000, "line 1: expected a word and 4 numbers"),
        (lines().replace(b"rare", b"rare nan nan nan nan\nrare"), "'rare' is not finite"),
        (b"film 1 2 3 1e999\n", "line 1: the vector of 'film' is not finite"),
        (b"<html>not found</html>", "line 1: expected a word and 4 numbers"),
    ],
)
def test_damaged_text_file_is_reported_by_line(content, problem, tmp_path):
    path = tmp_path / "x.txt"
    path.write_bytes(content)
    if problem is None:
        assert not len(read_vectors(path, ["film"], 4).indices)
    else:
        assert problem in message(path)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (
            word2vec_binary()[:-3],
            "byte 121: the file is damaged or truncated: expected word 6 of 6",
        ),
        (word2vec_binary()[:40], "truncated: expected word 2 of 6 and its 4 numbers"),
        (b"4000000000 4\n" + word2vec_binary()[4:], "expected word 7 of 4,000,000,000"),
        (b"6 4\n" + b"x" * 50_000, "byte 4: the file is damaged or truncated"),
        (
            struct.pack("<ii", 793712314, 12),
            "this is a fastText model; use its vectors, the `.vec`",
        ),
        (lines(), "the name of a text file must not end in .bin"),
        (b"", "byte 0: expected word2vec's binary format"),
        (word2vec_binary(vectors=VECTORS * np.inf), "the vector of 'film' is not finite"),
    ],
)
def test_damaged_binary_file_is_reported_by_byte(content, problem, tmp_path):
    path = tmp_path / "x.bin"
    path.write_bytes(content)
    assert problem in message(path)


@pytest.mark.parametrize(
    ("saved", "problem"),
    [
        ({"words": np.array(WORDS)}, "vectors is not a file in the archive"),
        ({"words": np.array(WORDS, object), "vectors": VECTORS}, "without objects (Object arrays"),
        ({"words": np.arange(6), "vectors": VECTORS}, "words: expected text [words], got int64"),
        (
            {"words": np.array(WORDS[:5]), "vectors": VECTORS},
            "expected float [5, 4], one row per word",
        ),
        ({"words": np.array(WORDS), "vectors": VECTORS[0]}, "got float32 [4]"),
        ({"words": np.array(WORDS), "vectors": VECTORS.astype(int)}, "got int64 [6, 4]"),
        (
            {"words": np.array(WORDS), "vectors": np.full((6, 4), 1e300)},
            "row 0: the vector of 'film' is not finite",
        ),
    ],
)
def test_unexpected_arrays_are_an_error(saved, problem, tmp_path):
    path = tmp_path / "x.npz"
    np.savez(path, **saved)
    assert problem in message(path)


@pytest.mark.parametrize(
    ("place", "value"), [(4, 99), (6, 1), (6, 64), (8, 77)], ids=["version", "key", "strong", "way"]
)
def test_unknown_zip_compression_is_an_error(place, value, tmp_path):
    path = arrays(tmp_path)
    content = bytearray(path.read_bytes())
    for header, offset in ((b"PK\x03\x04", 0), (b"PK\x01\x02", 2)):
        content[content.find(header) + offset + place] = value
    path.write_bytes(content)
    assert "expected numpy arrays `words` and `vectors`" in message(path)


def test_damaged_arrays_are_an_error(tmp_path):
    path = arrays(tmp_path)
    content = path.read_bytes()
    for damaged in (content[: len(content) // 2], b"PK\x03\x04 nonsense", b"text\n", b""):
        path.write_bytes(damaged)
        assert "expected numpy arrays `words` and `vectors`" in message(path)
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("words.npy", b"not numpy")
        file.writestr("vectors.npy", b"not numpy")
    assert "expected numpy arrays `words` and `vectors`" in message(path)
    with path.open("wb") as file:
        np.save(file, VECTORS)  # A single array with the wrong extension.
    assert "expected numpy arrays `words` and `vectors`" in message(path)


# In an encoder.


def loaded(encoder, vocabulary=VOCABULARY):
    """Embeddings before and after, and the messages."""
    ids = keras.Input((None,), dtype="int32")
    model = keras.Model(ids, encoder.build(ids, len(vocabulary) + 2).vector)
    table, messages = model.get_layer("embedding").embeddings, []
    before = table.numpy()
    with shown_by(messages.append):
        encoder.load_vectors(model, vocabulary)
    return before, table.numpy(), messages


@pytest.mark.parametrize("kind", [TextEmbedding, TextLSTM])
@pytest.mark.parametrize("trainable", [True, False])
def test_encoder_starts_from_the_vectors_of_the_file(kind, trainable, tmp_path):
    encoder = kind(dim=4, vectors=str(glove(tmp_path)), trainable=trainable)
    before, after, messages = loaded(encoder)
    for place, word in enumerate(VOCABULARY):
        expected = VECTORS[WORDS.index(word)] if word in WORDS else before[place + 2]
        np.testing.assert_array_equal(after[place + 2], expected)
    np.testing.assert_array_equal(after[:2], before[:2])
    assert messages == [
        f"word vectors: 3 of 5 words (60 %) found in {encoder.vectors}; the others start from "
        "random vectors."
    ]


def test_message_when_all_words_are_found(tmp_path):
    _, _, messages = loaded(TextEmbedding(dim=4, vectors=str(glove(tmp_path))), ["film", "rare"])
    assert messages[0].startswith("word vectors: 2 of 2 words (100 %) found in ")
    assert messages[0].endswith("glove.txt.")


def test_without_a_file_nothing_is_read():
    before, after, messages = loaded(TextEmbedding(dim=4))
    np.testing.assert_array_equal(after, before)
    assert messages == []


def test_from_scratch_needs_no_file(tmp_path):
    encoder = TextEmbedding(dim=4, vectors=str(tmp_path / "gone.txt"))
    [problem] = encoder.missing_file_problems()
    assert problem.path == ("vectors",)
    assert "gone.txt: " in problem.message
    assert not list(encoder.from_scratch().missing_file_problems())
    assert loaded(encoder.from_scratch())[2] == []
