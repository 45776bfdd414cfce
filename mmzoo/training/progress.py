"""What a training shows on the terminal: one live line, and one line that stays for each epoch."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import NamedTuple, Self

from rich.console import Console
from rich.live import Live
from rich.text import Text

REFRESH_SECONDS = 0.2
"""Drawing the line takes about a millisecond, which five times a second no training feels."""
SLOW_DATA = 0.2
"""From this share of the time on, waiting for data is what the user should look at first."""
GAP = "  "


class Progress:
    """Draws a training on stderr: a context manager, so that the terminal is always left clean.

    On a terminal there is one live line at the bottom, fitted to the width, which goes away at the
    end. Anywhere else (a pipe, a file, TERM=dumb) only the lines that stay are written, as plain
    text. There is no thread: whoever trains calls `update`, which draws at most 5 times a second.

    Args:
        epochs: how many epochs the whole training has.
        steps_per_epoch: optimizer steps of one epoch.
        first_step: global steps that were done before, of a resumed training.
        console: where to draw, if not on stderr.
        clock: seconds that never go back.
    """

    def __init__(
        self,
        epochs: int,
        steps_per_epoch: int,
        first_step: int = 0,
        console: Console | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        # FORCE_COLOR would make rich take a pipe for a terminal, hence the explicit question.
        self._console = console or Console(
            stderr=True, force_terminal=sys.stderr.isatty(), force_jupyter=False
        )
        self._clock = clock
        self._epochs = epochs
        self._steps_per_epoch = steps_per_epoch
        self._epochs_done = first_step // steps_per_epoch
        self._step = first_step
        self._metrics: Mapping[str, float] = {}
        self._examples_per_second = 0.0
        self._waiting = 0.0
        self._activity = "starting"
        self._time_left = TimeLeft()
        self._epoch_began = self._clock()
        self._drawn = -math.inf
        self._legend_shown = False
        self._live: Live | None = None
        if self._console.is_terminal and self._console.is_interactive:
            self._live = Live(
                console=self._console,
                auto_refresh=False,
                transient=True,
                redirect_stdout=False,  # Results go there, perhaps into a file.
                get_renderable=self._line,
            )

    def __enter__(self) -> Self:
        self._epoch_began = self._clock()
        if self._live:
            self._live.start(refresh=True)
            # Rich hides the cursor; after kill -9 nobody would be left to bring it back.
            self._console.show_cursor(True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._live:
            self._live.stop()

    @property
    def due(self) -> bool:
        """Whether `update` would draw now: so its figures need not be worked out for nothing."""
        return bool(self._live) and self._clock() - self._drawn >= REFRESH_SECONDS

    def update(
        self, step: int, metrics: Mapping[str, float], examples_per_second: float, waiting: float
    ) -> None:
        """Shows how far the training is, if that is due.

        Args:
            step: global steps done.
            metrics: by name, as they are to be shown; `loss` first.
            waiting: share of the time spent waiting for data, 0 to 1.
        """
        if not self._live or not self.due:
            return
        self._drawn = self._clock()
        self._time_left.trained(step, self._drawn)
        self._step = step
        self._metrics = metrics
        self._examples_per_second = examples_per_second
        self._waiting = waiting
        self._activity = ""
        self._live.refresh()

    def validating(self) -> None:
        """Shows that all steps of the epoch are done and the model is being validated."""
        self._activity = "validating"
        self._step = self._epoch() * self._steps_per_epoch
        self._time_left.paused(self._clock())
        if self._live:
            self._live.refresh()

    def epoch_done(self, epoch: int, row: Mapping[str, float], best: bool = False) -> None:
        """Writes the line that stays of an epoch.

        Args:
            epoch: its number, counted from 1.
            row: its metrics by name; `validation_<name>` is shown beside `<name>`.
            best: whether no epoch before was as good.
        """
        now = self._clock()
        self._time_left.paused(now)
        parts = [self._epoch_text(epoch)]
        for name, value in row.items():
            if not name.startswith("validation_"):
                validation = row.get(f"validation_{name}")
                beside = "" if validation is None else f" | {_number(validation)}"
                parts.append(_labelled(name, _number(value) + beside))
        parts.append(Text(_clock(now - self._epoch_began)))
        if best:
            parts.append(Text("best", "bold green"))
        if self._live and not self._legend_shown and any("|" in part.plain for part in parts):
            self._print(Text("Metrics of an epoch: train | validation", "dim"))
            self._legend_shown = True
        self._print(Text(GAP).join(parts))
        self._epochs_done = epoch
        self._epoch_began = now

    def say(self, text: str) -> None:
        """Writes a line that stays, above the live one."""
        self._print(Text(text))

    def _print(self, text: Text) -> None:
        self._console.print(text, soft_wrap=True)

    def _line(self) -> Text:
        # One column stays free: a cursor beyond the last one makes some terminals wrap.
        width = self._console.width - 1
        parts = _fitting(self._parts(), width)
        bar_width = min(BAR.text.cell_len + width - _width(parts), BAR_WIDTH)
        texts = [self._bar(bar_width) if part is BAR else part.text for part in parts]
        line = Text(GAP, no_wrap=True).join(texts)
        line.truncate(width)
        return line

    def _parts(self) -> list[_Part]:
        total = str(self._steps_per_epoch)
        step = f"{self._step_of_epoch():>{len(total)}}/{total}"
        parts = [
            _Part(0, self._epoch_text(self._epoch())),
            _Part(4, _labelled("step", step)),
            BAR,
        ]
        if self._activity:
            return [*parts, _Part(1, Text(self._activity))]
        for place, (name, value) in enumerate(self._metrics.items()):
            rank = (3, 6)[place] if place < 2 else 9
            parts.append(_Part(rank, _labelled(name, _number(value))))
        parts.append(_Part(7, Text(f"{_short(self._examples_per_second)} examples/s")))
        slow = self._waiting >= SLOW_DATA
        waiting = Text(f"waiting {100 * self._waiting:.0f} %", "yellow" if slow else "")
        parts.append(_Part(5 if slow else 8, waiting))
        left = self._time_left.seconds(
            self._epochs * self._steps_per_epoch - self._step, self._epochs - self._epochs_done
        )
        if left is not None:
            parts.append(_Part(1, _labelled("ETA", _clock(left))))
        return parts

    def _bar(self, width: int) -> Text:
        done = width * self._step_of_epoch() // self._steps_per_epoch
        dash = "-" if self._console.options.ascii_only else "━"
        coloured = self._console.color_system and not self._console.no_color
        rest = (dash if coloured else " ") * (width - done)
        return Text.assemble((dash * done, "bar.complete"), (rest, "bar.back"))

    def _epoch_text(self, epoch: int) -> Text:
        total = str(self._epochs)
        return Text(f"epoch {epoch:>{len(total)}}/{total}", "bold")

    def _epoch(self) -> int:
        return min(self._epochs_done + 1, self._epochs)

    def _step_of_epoch(self) -> int:
        return self._step - (self._epoch() - 1) * self._steps_per_epoch


class TimeLeft:
    """An estimate from how long steps, and the pause after each epoch, took of late.

    The time before the first step is left out: it is spent compiling. All times are in seconds,
    of any clock that does not jump.
    """

    MEMORY_SECONDS = 30.0

    def __init__(self) -> None:
        self._last: tuple[int, float] | None = None
        self._steps = 0.0
        self._seconds = 0.0
        self._pause_began: float | None = None
        self._pause = 0.0

    def trained(self, step: int, now: float) -> None:
        """Notes that `step` global steps are done."""
        if self._pause_began is not None:
            self._pause = now - self._pause_began
            self._pause_began = None
        elif self._last is not None:
            steps, seconds = step - self._last[0], now - self._last[1]
            memory = math.exp(-seconds / self.MEMORY_SECONDS)
            self._steps = self._steps * memory + steps
            self._seconds = self._seconds * memory + seconds
        self._last = step, now

    def paused(self, now: float) -> None:
        """Notes that no steps are done from now on until `trained` is called again."""
        if self._pause_began is None:
            self._pause_began = now

    def seconds(self, steps: int, pauses: int) -> float | None:
        """The time for so many steps and pauses; None before a step was timed."""
        if not self._steps:
            return None
        return steps * self._seconds / self._steps + pauses * self._pause


class _Part(NamedTuple):
    """A column of the live line."""

    rank: int
    """The greater, the sooner it is left out where the terminal is narrow."""
    text: Text


BAR = _Part(2, Text("━" * 6))
"""Stands for the bar, at its least width; it takes the columns that are left over."""
BAR_WIDTH = 40


def _fitting(parts: list[_Part], width: int) -> list[_Part]:
    while _width(parts) > width and len(parts) > 1:
        least = max(parts, key=lambda part: part.rank)
        parts = [part for part in parts if part is not least]
    return parts


def _width(parts: list[_Part]) -> int:
    """Columns of the parts and of the gap after each but the last."""
    return sum(part.text.cell_len + len(GAP) for part in parts) - len(GAP)


def _labelled(name: str, value: str) -> Text:
    return Text.assemble((f"{name} ", "dim"), value)


def _number(value: float) -> str:
    """Four decimals where they say enough, so that the columns of most metrics stay in line."""
    if value == 0 or 0.001 <= abs(value) < 10 or not math.isfinite(value):
        return f"{value:.4f}"
    return f"{value:.4g}"


def _short(value: float) -> str:
    """A rate as one reads it: 0.53, 640, 5.1k, 1.2M."""
    for suffix, unit in (("M", 1e6), ("k", 1e3)):
        if value >= unit:
            return f"{value / unit:.1f}{suffix}"
    return f"{value:.0f}" if value >= 10 else f"{value:.2g}"


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
