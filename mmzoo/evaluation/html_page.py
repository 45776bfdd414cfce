"""Self-contained HTML pages: one file that needs no other file, no script and no network."""

from __future__ import annotations

import base64
import html
import io
import re
import struct
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_PLOT_SCALE = 0.7
"""CSS pixels per pixel of a plot: sharp on fine screens, and two plots fit side by side."""
_THUMBNAIL = 180
"""Longest side of the image of an example, in pixels; browsers enlarge smaller ones."""
_FORBIDDEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters except tab and line feed, and unpaired surrogates."""

_CODE = re.compile(r"`([^`]+)`")


@dataclass(frozen=True)
class Plot:
    """A PNG file with its title."""

    title: str
    path: Path


def page(title: str, body: str) -> str:
    """The page as HTML text.

    Args:
        title: plain text.
        body: HTML.
    """
    css = resources.files("mmzoo.evaluation").joinpath("report.css")
    style = css.read_text(encoding="utf-8")
    # The policy makes browsers enforce that nothing else is loaded.
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>{text_html(title)}</title>
<style>
{style}</style>
</head>
<body>
<main>
{body}
</main>
</body>
</html>
"""


def plots_html(plots: Sequence[Plot]) -> str:
    """Plots side by side, with their titles; they become part of the page."""
    if not plots:
        return ""
    return f'<div class="plots">{"".join(map(_plot, plots))}</div>'


def _plot(plot: Plot) -> str:
    png = plot.path.read_bytes()
    # Every PNG has its width and height here; with them a page does not jump while loading.
    width, height = (round(_PLOT_SCALE * size) for size in struct.unpack(">II", png[16:24]))
    data = base64.b64encode(png).decode("ascii")
    title = text_html(plot.title)
    return (
        f"<figure><figcaption>{title}</figcaption>"
        f'<img alt="{title}" width="{width}" height="{height}" '
        f'src="data:image/png;base64,{data}"></figure>'
    )


def image_html(image: NDArray[np.uint8]) -> str:
    """An image of an example, uint8 [height, width, channels], as part of the page."""
    from PIL import Image

    pixels = image[..., 0] if image.shape[2] == 1 else image[..., :3]
    thumbnail = Image.fromarray(pixels)
    thumbnail.thumbnail((_THUMBNAIL, _THUMBNAIL))
    content = io.BytesIO()
    thumbnail.save(content, format="PNG")
    data = base64.b64encode(content.getvalue()).decode("ascii")
    return f'<img alt="" src="data:image/png;base64,{data}">'


def paragraphs_html(texts: Iterable[str]) -> str:
    """A paragraph for each text, with code in backticks."""
    return "".join(f"<p>{prose_html(text)}</p>" for text in texts)


def notes_html(notes: Iterable[str]) -> str:
    """Highlighted paragraphs, likewise."""
    return "\n".join(f'<p class="note">{prose_html(note)}</p>' for note in notes)


def prose_html(text: str) -> str:
    """Text with code in backticks."""
    return _CODE.sub(r"<code>\1</code>", text_html(text))


def table_html(
    titles: Sequence[str], rows: Iterable[Sequence[str]], text_columns: Collection[str] = ()
) -> str:
    """A table that scrolls sideways on a narrow page.

    The first column and those with a title in `text_columns` are aligned to the left, numbers to
    the right.
    """
    classes = [' class="text"' if title in text_columns else "" for title in titles]

    def line(tag: str, cells: Sequence[str]) -> str:
        parts = zip(classes, cells, strict=True)
        cells_html = (f"<{tag}{kind}>{text_html(cell)}</{tag}>" for kind, cell in parts)
        return f"<tr>{''.join(cells_html)}</tr>"

    heads = line("th", titles)
    lines = "\n".join(line("td", row) for row in rows)
    return f"""<div class="scroll"><table>
<thead>{heads}</thead>
<tbody>
{lines}
</tbody></table></div>
"""


def definitions(values: Mapping[str, str]) -> str:
    """The items of a `<dl>`."""
    return "".join(
        f"<div><dt>{text_html(label)}</dt><dd>{name_html(value)}</dd></div>"
        for label, value in values.items()
    )


def name_html(text: str) -> str:
    """Text whose writing direction must not affect its surroundings."""
    return f"<bdi>{text_html(text)}</bdi>"


def text_html(text: str) -> str:
    """Escaped text; characters that HTML forbids become the replacement character."""
    return html.escape(_FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text))
