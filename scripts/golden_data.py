"""Small tables, pictures and sounds for scripts/golden: the same bytes every time."""

from __future__ import annotations

import gzip
import json
import wave
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from PIL import Image

ROWS = 160
KINDS = ("cup", "hat", "shoe")
WORDS = {
    "cup": ("blue", "café", "china", "handle", "tea", "glaze"),
    "hat": ("felt", "wool", "brim", "winter", "soft", "warm"),
    "shoe": ("lace", "sole", "leather", "running", "größe", "pair"),
}
COMMON = ("a", "good", "new", "the", "with", "of", "old", "nice")
Row = dict[str, Any]


def make_data(folder: Path) -> None:
    """Writes everything that the experiments read into a folder."""
    folder.mkdir(parents=True)
    random = np.random.RandomState(7)
    rows = [_row(folder, number, random) for number in range(ROWS)]
    _write_csv(folder / "shop.csv", rows)
    _write_csv(folder / "shop_semicolon.csv", rows, ";", "cp1252")
    packed = gzip.compress((folder / "shop.csv").read_bytes(), mtime=0)
    (folder / "shop.csv.gz").write_bytes(packed)
    typed = [{**row, "tags": row["tags"].strip("|").split("|")} for row in rows]
    typed = [{**row, "tags": [tag for tag in row["tags"] if tag]} for row in typed]
    lines = [json.dumps(row, ensure_ascii=False) for row in typed]
    (folder / "shop.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    pl.DataFrame(typed).write_parquet(folder / "shop.parquet")
    _write_csv(folder / "holes.csv", _holes(rows, random))
    _write_csv(folder / "bad.csv", _bad(folder, rows))
    inputs = ("id", "photo", "sound", "title", "size", "grams", "brand", "made", "seen")
    new = [{name: row[name] for name in inputs} for row in rows[::8]]
    _write_csv(folder / "new.csv", new)
    pl.DataFrame(new).write_ndjson(folder / "new.jsonl")
    newer = _changed(rows[::5], random)
    _write_csv(folder / "newer.csv", newer)
    pl.DataFrame(newer).write_parquet(folder / "newer.parquet")


def _row(folder: Path, number: int, random: np.random.RandomState) -> Row:
    kind = random.randint(len(KINDS))
    name = KINDS[kind]
    picture = random.randint(0, 120, (16, 16, 3))
    picture[:, :, kind] += random.randint(0, 130)
    picture[4 * kind : 4 * kind + 5] += 60
    photo = _file(folder, f"photos/{name}/{number:03d}.png")
    Image.fromarray(picture.clip(0, 255).astype(np.uint8)).save(photo)
    wave_form = np.sin(np.arange(480) * (0.2 + 0.3 * kind + 0.05 * random.rand()))
    samples = (wave_form * 9_000 + random.normal(0, 3_000, 480)).astype("<i2")
    sound = _file(folder, f"sounds/{name}/{number:03d}.wav")
    with wave.open(str(sound), "wb") as file:
        file.setparams((1, 2, 4_000, 0, "NONE", ""))
        file.writeframes(samples.tobytes())
    words = [*random.choice(WORDS[name], 2), *random.choice(COMMON, random.randint(2, 6))]
    random.shuffle(words)
    size = round(float(random.normal(10 + 3 * kind, 2)), 2)
    brand = f"brand {chr(65 + (random.randint(4) + kind) % 6)}"
    tags = [tag for tag in ("gift", "sale", "rare") if random.rand() < 0.3 + 0.2 * kind]
    return {
        "id": f"{number:04d}",
        "photo": photo.relative_to(folder).as_posix(),
        "sound": sound.relative_to(folder).as_posix(),
        "title": f'{" ".join(words)}, "{words[0]}"',
        "size": size,
        "grams": int(random.gamma(2, 100 * (kind + 1))),
        "brand": brand,
        "made": f"20{random.randint(10, 20)}-{random.randint(1, 13):02d}-{random.randint(10, 29)}",
        "seen": f"2021-03-{1 + random.randint(28):02d} {random.randint(24):02d}:30",
        "kind": name,
        "sold": "yes" if size + random.normal() > 12 else "no",
        "tags": "|".join(tags) or "|",
        "price": round(3 * size + 5 * kind + float(random.normal()), 2),
        "part": ("test", "validation", "train", "train", "train")[number % 5],
    }


def _holes(rows: Sequence[Row], random: np.random.RandomState) -> list[Row]:
    """The rows with cells that are empty: inputs as well as labels, never all of either."""
    holes: list[Row] = []
    for row in rows:
        empty = {name for name in ("photo", "title", "brand", "size") if random.rand() < 0.2}
        empty -= {random.choice(["photo", "title"])}
        empty |= {name for name in ("sold", "tags", "price") if random.rand() < 0.25}
        holes.append({name: "" if name in empty else cell for name, cell in row.items()})
    return holes


def _bad(folder: Path, rows: Sequence[Row]) -> list[Row]:
    """The rows with a broken file, no file, no label, no number, and copies across splits."""
    _file(folder, "photos_bad/broken.png").write_bytes(b"\x89PNG\r\n\x1a\nand no more")
    bad = [dict(row) for row in rows]
    bad[3]["photo"] = "photos_bad/broken.png"
    bad[8]["photo"] = "photos_bad/none.png"
    bad[12]["kind"] = ""
    bad[17]["price"] = "cheap"
    for copied, number in ((20, 22), (26, 33), (45, 46)):
        bad[number] = {**bad[copied], "part": bad[number]["part"]}
    return bad


def _changed(rows: Sequence[Row], random: np.random.RandomState) -> list[Row]:
    """Rows of another day: the same columns, with other sizes and some unknown brands."""
    return [
        {**row, "size": round(row["size"] + float(random.rand()), 2), "brand": brand}
        for row, brand in zip(
            rows, ["brand Z", "", *(row["brand"] for row in rows[2:])], strict=True
        )
    ]


def _write_csv(
    path: Path, rows: Sequence[Row], separator: str = ",", encoding: str = "utf8"
) -> None:
    quoted: Callable[[Any], str] = lambda cell: str(cell).replace('"', '""')  # noqa: E731
    lines = [separator.join(rows[0])]
    for row in rows:
        cells = [
            f'"{quoted(cell)}"' if isinstance(cell, str) and cell else f"{cell}"
            for cell in row.values()
        ]
        lines.append(separator.join(cells))
    path.write_bytes(("\n".join(lines) + "\n").encode(encoding))


def _file(folder: Path, name: str) -> Path:
    """The path of a file in a folder, which is made if it is not there."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    return path
