"""Matplotlib figures without global state: creating and writing them, and text of any script.

No pyplot: it keeps every figure alive until it is closed, picks a window system, and is not
thread-safe. Matplotlib is imported in the functions, since importing it takes a while.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mmzoo.files import replacing
from mmzoo.metrics import number_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure
    from PIL import ImageFont

DPI = 120
INK = "#24292f"
FAINT = "#8c959f"
BLUE = "#2f6fb3"
ORANGE = "#d9730d"

_FONTS = (
    "DejaVu Sans",  # Comes with matplotlib: Latin, Greek, Cyrillic, Arabic, and many signs.
    "Noto Sans",
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "Noto Sans CJK KR",
    "Noto Sans Devanagari",
    "Noto Sans Thai",
    "Source Han Sans SC",
    "WenQuanYi Zen Hei",
    "WenQuanYi Micro Hei",
    "Hiragino Sans GB",
    "Apple SD Gothic Neo",
    "Arial Unicode MS",
    "Microsoft YaHei",
    "Malgun Gothic",
    "Nirmala UI",
)
_UNDRAWABLE = "\N{WHITE SQUARE}"


def new_figure(width: float, height: float) -> Figure:
    """A white figure of this size in inches, with a layout that keeps texts from overlapping."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure((width, height), dpi=DPI, layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def write_figure(figure: Figure, path: Path) -> None:
    """Writes a PNG atomically."""
    from PIL import Image

    # `savefig` draws a figure with a layout twice.
    image = Image.fromarray(figure_pixels(figure))
    with replacing(path) as temporary:
        image.save(temporary, format="PNG", dpi=(DPI, DPI))


def figure_pixels(figure: Figure) -> NDArray[np.uint8]:
    """The figure as an image, uint8 [height, width, 3]."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    assert isinstance(figure.canvas, FigureCanvasAgg)
    _prepare_texts(figure)
    figure.canvas.draw()
    return np.array(figure.canvas.buffer_rgba())[..., :3]


def class_labels(names: Sequence[str], longest: int = 24) -> list[str]:
    """Class names as they can be drawn: truncated to `longest` characters, on one line.

    A name in a script that no installed font has becomes its number in the list, `#7`: empty boxes
    would look the same for every class.
    """
    labels = []
    for number, name in enumerate(names):
        label = drawable(name)
        if not label or _UNDRAWABLE in label:
            label = f"#{number}"
        labels.append(label if len(label) <= longest else label[: longest - 1].rstrip() + "…")
    return labels


def drawable(text: str) -> str:
    """The text on one line, with a box for each character that no installed font has."""
    characters = _drawable_characters()
    one_line = " ".join(text.split())
    return "".join(c if ord(c) in characters else _UNDRAWABLE for c in one_line)


@cache
def _drawable_characters() -> frozenset[int]:
    return frozenset().union(*map(_characters, _installed_fonts()))


@cache
def _characters(family: str) -> frozenset[int]:
    from matplotlib.font_manager import findfont, get_font

    return frozenset(get_font(findfont(family)).get_charmap())


@cache
def _installed_fonts() -> tuple[str, ...]:
    """Our fonts that are installed: matplotlib warns about each one that is not."""
    from matplotlib.font_manager import fontManager

    installed = {font.name for font in fontManager.ttflist}
    return tuple(family for family in _FONTS if family in installed)


def font_runs(line: str, size: int) -> list[tuple[ImageFont.FreeTypeFont, str]]:
    """A line as parts to draw one after the other, each with a font that has its characters.

    Args:
        line: from `drawable`.
        size: height of the fonts, in pixels.
    """
    fonts = [_font(family, size) for family in _installed_fonts()]
    characters = [_characters(family) for family in _installed_fonts()]
    chosen = [
        next((n for n, known in enumerate(characters) if ord(one) in known), 0) for one in line
    ]
    runs = groupby(zip(chosen, line, strict=True), key=itemgetter(0))
    return [(fonts[number], "".join(one for _, one in run)) for number, run in runs]


@cache
def _font(family: str, size: int) -> ImageFont.FreeTypeFont:
    from matplotlib.font_manager import findfont
    from PIL import ImageFont

    return ImageFont.truetype(findfont(family), size)


def tidy(axes: Axes) -> None:
    """Adds faint grid lines and removes the frame."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color("#d0d7de")
    axes.tick_params(colors=INK, labelsize=9, length=3)
    axes.grid(color="#eaeef2", linewidth=0.8)
    axes.set_axisbelow(True)


def plain_ticks(axis: Axis, ticks: int = 6) -> None:
    """Writes `241,700` at an axis, not `2.417` with a power of ten in a corner."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axis.set_major_locator(MaxNLocator(nbins=ticks, steps=[1, 2, 2.5, 5, 10]))
    axis.set_major_formatter(FuncFormatter(lambda value, _: number_text(value, 6)))


def _prepare_texts(figure: Figure) -> None:
    """Sets our fonts for each text, and keeps a `$` in a name from starting a formula."""
    from matplotlib.text import Text

    texts: Any = figure.findobj(Text)
    for text in texts:
        text.set_fontfamily(_installed_fonts())
        text.set_parse_math(False)
