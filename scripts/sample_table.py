"""Draws the sample table of the documentation: docs/sample/products.csv and its images.

    python scripts/sample_table.py

The table has 200 products of four categories, each with a small image, a description and a price.
Stools and tables look alike, and some descriptions fit two categories. The script is deterministic.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Callable
from functools import partial
from pathlib import Path

from PIL import Image, ImageDraw

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "sample"
ROWS = 200
SIZE = 40
COLORS = {
    "red": "#b5483a",
    "blue": "#3a6ab5",
    "green": "#3a8f5a",
    "yellow": "#c99a2e",
    "purple": "#7a4f9e",
    "grey": "#4a4a4a",
}
BACKGROUNDS = ["#ffffff", "#f0ead8", "#dde6ee", "#e6e6e6"]

CATEGORIES = ("mug", "bowl", "stool", "table")
WORDS = {
    "mug": ["for coffee and tea", "holds a hot drink", "with a sturdy handle", "keeps cocoa warm"],
    "bowl": ["for soup and salad", "holds fruit or cereal", "stackable set piece", "for noodles"],
    "stool": ["to sit at the counter", "a compact seat", "for kitchen bars", "folds away flat"],
    "table": ["for two people", "with rounded corners", "fits beside the sofa", "for small rooms"],
}
SHARED = {
    "mug": ["dishwasher safe", "glazed stoneware", "handmade ceramic"],
    "bowl": ["dishwasher safe", "glazed stoneware", "handmade ceramic"],
    "stool": ["solid oak", "painted steel legs", "easy assembly"],
    "table": ["solid oak", "painted steel legs", "easy assembly"],
}
PRICES = {"mug": (6, 18), "bowl": (8, 24), "stool": (30, 90), "table": (45, 160)}


def main() -> None:
    rng = random.Random(7)
    rows = []
    prices: set[str] = set()
    texts: set[str] = set()
    images = FOLDER / "images"
    images.mkdir(parents=True, exist_ok=True)
    for number in range(1, ROWS + 1):
        category = rng.choice(CATEGORIES)
        name = f"images/{number:03d}.png"
        color = rng.choice(list(COLORS))
        draw(category, color, rng).save(FOLDER / name, optimize=True)
        price = unique(partial(draw_price, category, rng), prices)
        text = unique(partial(describe, category, color, rng), texts)
        rows.append((f"P{number:04d}", name, text, price, category))
    with (FOLDER / "products.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("product_id", "photo", "description", "price", "category"))
        writer.writerows(rows)


def unique(make: Callable[[], str], used: set[str]) -> str:
    """The first value that was not used before."""
    while (value := make()) in used:
        pass
    used.add(value)
    return value


def draw(category: str, color: str, rng: random.Random) -> Image.Image:
    """A simple shape with a random size and place."""
    picture = Image.new("RGB", (SIZE, SIZE), rng.choice(BACKGROUNDS))
    pen = ImageDraw.Draw(picture)
    fill = COLORS[color]
    width, height = rng.randint(16, 22), rng.randint(14, 20)
    left, top = rng.randint(4, SIZE - width - 8), rng.randint(4, SIZE - height - 4)
    right, bottom = left + width, top + height
    if category == "mug":
        pen.rectangle((left, top, right, bottom), fill=fill)
        middle = (top + bottom) // 2
        pen.arc((right - 4, middle - 5, right + 6, middle + 5), 270, 90, fill=fill, width=2)
    elif category == "bowl":
        pen.pieslice((left, top - height, right, bottom), 0, 180, fill=fill)
    else:
        thickness = 3 if category == "table" else 5
        reach = 0 if category == "table" else width // 4
        pen.rectangle((left + reach, top, right - reach, top + thickness), fill=fill)
        for x in (left + reach + 1, right - reach - 3):
            pen.rectangle((x, top, x + 2, bottom), fill=fill)
    return picture.quantize(8)


def draw_price(category: str, rng: random.Random) -> str:
    return f"{rng.uniform(*PRICES[category]):.2f}"


def describe(category: str, color: str, rng: random.Random) -> str:
    parts = [rng.choice(SHARED[category]), rng.choice(WORDS[category])]
    if rng.random() < 0.3:  # Some descriptions do not give the category away.
        parts[1] = rng.choice(["new this season", "a bestseller", "now on sale"])
    rng.shuffle(parts)
    style = rng.choice(["small", "large", "classic", "modern", "plain"])
    return f"{style} design in {color}, {', '.join(parts)}"


if __name__ == "__main__":
    main()
