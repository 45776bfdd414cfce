"""A page: one HTML file that needs no other file, no script and no network."""

from __future__ import annotations

import base64
import html
import re
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

_PICTURE_SCALE = 0.7
"""CSS pixels for each pixel of a picture: sharp on fine screens, and two plots fit side by side."""
_FORBIDDEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters but for tab and line feed, and halves of surrogate pairs."""

_CODE = re.compile(r"`([^`]+)`")


@dataclass(frozen=True)
class Picture:
    """A PNG file, and what it shows."""

    title: str
    path: Path


def page(title: str, body: str) -> str:
    """The page as HTML text.

    Args:
        title: plain text.
        body: HTML.
    """
    style = (
        resources.files("mmzoo.evaluation.reports")
        .joinpath("report.css")
        .read_text(encoding="utf-8")
    )
    # The policy makes browsers keep the promise of the module's first line.
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


def pictures_html(pictures: Sequence[Picture]) -> str:
    """Pictures side by side, with their titles."""
    if not pictures:
        return ""
    return f'<div class="pictures">{"".join(map(_picture, pictures))}</div>'


def _picture(picture: Picture) -> str:
    png = picture.path.read_bytes()
    # Every PNG has its width and height here; a browser that knows them does not jump about.
    width, height = (round(_PICTURE_SCALE * size) for size in struct.unpack(">II", png[16:24]))
    data = base64.b64encode(png).decode("ascii")
    title = text_html(picture.title)
    return (
        f"<figure><figcaption>{title}</figcaption>"
        f'<img alt="{title}" width="{width}" height="{height}" '
        f'src="data:image/png;base64,{data}"></figure>'
    )


def paragraphs_html(texts: Iterable[str]) -> str:
    """A paragraph of each text, in which commands stand in backticks."""
    return "".join(f"<p>{prose_html(text)}</p>" for text in texts)


def notes_html(notes: Iterable[str]) -> str:
    """What a reader should know first, likewise."""
    return "\n".join(f'<p class="note">{prose_html(note)}</p>' for note in notes)


def prose_html(text: str) -> str:
    """A text in which commands stand in backticks."""
    return _CODE.sub(r"<code>\1</code>", text_html(text))


def table_html(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of texts, which scrolls by itself where the page is narrow."""
    heads = "".join(f"<th>{text_html(title)}</th>" for title in titles)
    lines = "\n".join(
        f"<tr>{''.join(f'<td>{text_html(cell)}</td>' for cell in row)}</tr>" for row in rows
    )
    return f"""<div class="scroll"><table>
<thead><tr>{heads}</tr></thead>
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
    """Text whose direction of writing must not turn what stands beside it."""
    return f"<bdi>{text_html(text)}</bdi>"


def text_html(text: str) -> str:
    """Text as HTML; characters that no page may hold become the replacement character."""
    return html.escape(_FORBIDDEN.sub("\N{REPLACEMENT CHARACTER}", text))
