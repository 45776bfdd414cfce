"""Encodings of table files: guessed from the bytes, named in errors, read with any codec."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from frames import splits_of

from mmzoo.column_spec import ColumnSpec
from mmzoo.data import Table, read_rows
from mmzoo.data.text_encoding import codec_name, guess_encoding
from mmzoo.errors import DataError

LABELS = {
    "cp1251": ("хорошо", "плохо"),
    "koi8-r": ("хорошо", "плохо"),
    "cp1250": ("dobré", "špatné"),
    "cp1252": ("größer", "kleiner"),
    "cp1253": ("καλό", "κακό"),
    "gb18030": ("好评", "差评"),
    "big5": ("好評", "差評"),
    "cp932": ("良い", "悪い"),
    "cp949": ("좋음", "나쁨"),
    "cp1255": ("טוב", "רע"),
    "cp1256": ("جيد", "سيئ"),
}
"""Short class names, the hardest texts to guess from."""


def table(labels: tuple[str, str]) -> str:
    draw = random.Random(0).random
    rows = [f"{row},{draw():.3f},{labels[row % 2]}" for row in range(20)]
    return "\n".join(["id,x,label", *rows]) + "\n"


@pytest.mark.parametrize("encoding", LABELS)
def test_the_encoding_of_a_few_short_words_is_guessed(encoding: str) -> None:
    text = table(LABELS[encoding])
    compared_run = guess_encoding(text.encode(encoding))
    assert compared_run is not None
    assert text.encode(encoding).decode(compared_run.name) == text
    assert compared_run.cell in LABELS[encoding]


@pytest.mark.parametrize(
    ("encoding", "name", "labels"),
    [
        ("mac-roman", "catégorie", ("été", "forêt")),
        ("cp850", "Größe", ("groß", "übel")),
        ("big5", "類別", ("體育新聞", "財經")),
        ("cp1253", "είδος", ("Άσπρο", "Μαύρο")),
    ],
)
def test_an_expected_word_identifies_rare_encodings(
    encoding: str, name: str, labels: tuple[str, str]
) -> None:
    text = table(labels).replace("label", name)
    compared_run = guess_encoding(text.encode(encoding), [name])
    assert compared_run is not None
    assert text.encode(encoding).decode(compared_run.name) == text


@pytest.mark.parametrize(
    ("encoding", "labels"),
    [
        ("mac-roman", ("très bon goût à refaire", "déjà salé")),
        ("cp850", ("très bon goût à refaire", "schön für Mädchen")),
        ("cp852", ("žluťoučký kůň dobrý", "zażółć gęślą jaźń")),
        ("cp866", ("очень хороший товар", "плохое качество")),
        ("iso8859-2", ("žluťoučký kůň dobrý", "špatné jídlo příště ne")),
        ("cp874", ("อร่อยมาก", "ไม่อร่อยเลย")),
    ],
)
def test_characters_that_make_no_words_are_not_guessed(
    encoding: str, labels: tuple[str, str]
) -> None:
    """Without the name of a target that is not ASCII, statistics alone mistake old encodings."""
    text = table(labels)
    guessed = guess_encoding(text.encode(encoding))
    assert guessed is not None
    assert text.encode(encoding).decode(guessed.name) == text


@pytest.mark.parametrize(
    ("encoding", "labels"),
    [("cp932", ("スポーツ", "経済")), ("big5", ("體育新聞", "財經"))],
)
def test_a_bar_as_a_second_byte_is_not_a_separator(encoding: str, labels: tuple[str, str]) -> None:
    content = table(labels).encode(encoding)
    assert b"|" in content
    compared_run = guess_encoding(content)
    assert compared_run is not None
    assert content.decode(compared_run.name) == table(labels)


def test_utf_8_needs_no_guess() -> None:
    assert guess_encoding(table(LABELS["cp1251"]).encode()) is None


@pytest.mark.parametrize("wrong", [b"dobr\xc3", b"dobr\xe9", b"\xff"])
def test_damaged_utf_8_is_refused_and_not_guessed(tmp_path: Path, wrong: bytes) -> None:
    content = table(LABELS["cp1250"]).encode() + b"20,0.5," + wrong + b"\n"
    assert guess_encoding(content) is None
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    why = r"line 22 is not UTF-8 text, at byte 0x.*The rest of it is UTF-8.*another `encoding`"
    for read in (Table(path=str(path)).read, lambda specs, _: read_rows(str(path), specs)):
        with pytest.raises(DataError, match=why):
            read(WANTED, 0)


WANTED = {"label": ColumnSpec("text", lambda random, rows: None)}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "t.csv"
    path.write_bytes(table(LABELS["cp1251"]).encode("cp1251"))
    return path


def test_a_source_does_not_guess_but_suggests_the_encoding(path: Path) -> None:
    with pytest.raises(DataError) as error:
        Table(path=str(path)).read(WANTED, 0)
    assert str(error.value) == (
        f"{path}: line 2 is not UTF-8 text, at byte 0xf5. It seems to be cp1251, in which a cell "
        "reads 'плохо'. Write `encoding: cp1251` into the config's source if that is right, or "
        "save it as UTF-8."
    )


def test_any_python_codec_is_read(path: Path) -> None:
    frame = Table(path=str(path), encoding="Windows-1251").read(WANTED, 0)
    assert set(splits_of(frame)["train"]["label"]) == set(LABELS["cp1251"])


def test_the_encoding_of_another_table_is_guessed_with_a_note(path: Path) -> None:
    frame = read_rows(str(path), WANTED)
    assert set(frame.table["label"]) == set(LABELS["cp1251"])
    assert frame.notes == (
        "t.csv: its text is not UTF-8; the guessed encoding is cp1251, in which a cell reads "
        "'плохо'",
    )


def test_another_table_in_utf_8_is_read_as_such(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(table(LABELS["cp1251"]), encoding="utf-8")
    form = Table(path="train.csv", encoding="cp1251")
    frame = read_rows(str(path), WANTED, form=form)
    assert set(frame.table["label"]) == set(LABELS["cp1251"])
    assert frame.notes == ("t.csv: its text is UTF-8, unlike that of the training data",)
    wrong = form.replace(path=str(path)).read(WANTED, 0)
    assert "t.csv: its text is valid UTF-8, but is read as `encoding: cp1251`" in wrong.notes


@pytest.mark.parametrize("name", ["cp9999", "base64", "utf8x", ""])
def test_unknown_codecs(name: str) -> None:
    assert codec_name(name) is None
