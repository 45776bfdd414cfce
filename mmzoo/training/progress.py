"""Progress of a training on the terminal: a live line, and a line that stays for each epoch.

Before the first epoch and after the last one, a spinner shows what is being done.

epoch 1/5  loss 0.2183 | 0.0671  digit_accuracy 0.9340 | 0.9800  0:12  best
epoch 2/5  step 412/938  ━━━━━━━━━━━━━━  loss 0.0312  accuracy 0.9900  ETA 0:24
"""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from rich.console import Console, RenderableType
from rich.constrain import Constrain
from rich.progress import Progress as RichProgress
from rich.progress_bar import ProgressBar
from rich.table import Column, Table
from rich.text import Text

from mmzoo.metrics import number_text
from mmzoo.run_log import shown_by
from mmzoo.training.timer import SLOW_DATA

REFRESH_SECONDS = 0.2
"""Drawing the line takes about a millisecond, which is negligible five times a second."""
_GAP = "  "
_BAR_WIDTH = (6, 40)
"""Least and greatest width of the bar, which takes the columns that are left over."""
_BAR_RANK = 2
"""Columns of a greater rank than the bar's are dropped first where the terminal is narrow."""
_SPEED_PERIOD = 30.0
"""Seconds over which the speed is averaged for the remaining time."""


@contextmanager
def waiting(what: str, console: Console | None = None) -> Iterator[None]:
    """Shows a spinner with a text while the block runs, if stderr is a terminal.

    Log messages within the block appear above it.

    Args:
        what: what is being done: "Reading the data".
        console: where to draw, if not on stderr.
    """
    if console is None and not sys.stderr.isatty():
        yield
        return
    # A copy of stderr, which is redirected while TensorFlow is imported: what takes longest.
    number = 2 if console else sys.stderr.fileno()
    with os.fdopen(os.dup(number), "w", encoding="utf-8", errors="replace") as stderr:
        console = console or Console(file=stderr, force_terminal=True, force_jupyter=False)
        if not console.is_interactive:
            yield
            return

        def show(message: str) -> None:
            console.print(Text(message), soft_wrap=True)

        with console.status(Text(f"{what} ...")), shown_by(show):
            console.show_cursor(True)
            yield


class Progress:
    """Shows the progress of a training on stderr: a context manager.

    On a terminal there is one live line at the bottom, fitted to the width, which disappears at the
    end. Elsewhere (a pipe, a file, TERM=dumb) only the lines that stay are written, as plain text.
    There is no thread: `update` draws, at most 5 times a second.

    Args:
        epochs: epochs of the whole training.
        steps_per_epoch: steps of one epoch.
        first_step: global steps done before, in a resumed training.
        console: where to draw, if not on stderr.
        clock: seconds that never decrease.
    """

    def __init__(
        self,
        epochs: int,
        steps_per_epoch: int,
        first_step: int = 0,
        console: Console | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        # FORCE_COLOR would make rich take a pipe for a terminal, so it is told explicitly.
        self._console = console or Console(
            stderr=True, force_terminal=sys.stderr.isatty(), force_jupyter=False
        )
        self._clock = clock
        self._epochs = epochs
        self._steps_per_epoch = steps_per_epoch
        self._epochs_done = first_step // steps_per_epoch
        self._epoch_start = clock()
        self._drawn = -math.inf
        self._legend_shown = False
        self._live: _LiveLine | None = None
        if self._console.is_terminal and self._console.is_interactive:
            self._live = _LiveLine(self._console, clock)
            self._training = self._live.add_task(
                "", total=epochs * steps_per_epoch, completed=first_step, visible=False
            )
            self._epoch = self._live.add_task("", total=steps_per_epoch)
            self._draw(first_step, [(1, "starting")])

    def __enter__(self) -> Self:
        self._epoch_start = self._clock()
        if self._live:
            self._live.start()
            # Rich hides the cursor, and after kill -9 nobody would show it again.
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
        """Whether `update` would draw now; if not, its arguments need not be computed."""
        return bool(self._live) and self._clock() - self._drawn >= REFRESH_SECONDS

    def update(
        self, step: int, metrics: Mapping[str, float], examples_per_second: float, waiting: float
    ) -> None:
        """Draws the live line, if that is due.

        Args:
            step: global steps done.
            metrics: by name, in the order to show them; `loss` first.
            examples_per_second: speed of the training.
            waiting: share of the time spent waiting for data, 0 to 1.
        """
        if not self._live or not self.due:
            return
        self._drawn = self._clock()
        self._live.update(self._training, completed=step)
        left = self._live.tasks[self._training].time_remaining
        slow = waiting >= SLOW_DATA
        percent = f"waiting {100 * waiting:.0f} %"
        texts = [
            ((3, 6)[place] if place < 2 else 9, f"[dim]{name}[/] {_number(value)}")
            for place, (name, value) in enumerate(metrics.items())
        ]
        texts.append((7, f"{_short(examples_per_second)} examples/s"))
        texts.append((5, f"[yellow]{percent}[/]") if slow else (8, percent))
        texts.append((1, "" if left is None else f"[dim]ETA[/] {_clock(left)}"))
        self._draw(step, texts)

    def validating(self) -> None:
        """Shows that all steps of the epoch are done and the model is being validated."""
        self._draw(self._current_epoch() * self._steps_per_epoch, [(1, "validating")])

    def epoch_done(self, epoch: int, row: Mapping[str, float], best: bool = False) -> None:
        """Prints the line that stays of an epoch.

        Args:
            epoch: from 1.
            row: the metrics by name; `validation_<name>` is shown beside `<name>`, if that exists.
            best: whether the epoch is the best so far.
        """
        now = self._clock()
        parts = [Text(_count("epoch", epoch, self._epochs), "bold")]
        for name in dict.fromkeys(key.removeprefix("validation_") for key in row):
            values = [_number(row[key]) for key in (name, f"validation_{name}") if key in row]
            if name not in row:  # Some metrics are of the validation only.
                values = ["-", *values]
            parts.append(Text.assemble((f"{name} ", "dim"), " | ".join(values)))
        parts.append(Text(_clock(now - self._epoch_start)))
        if best:
            parts.append(Text("best", "bold green"))
        if self._live and not self._legend_shown and any("|" in part.plain for part in parts):
            self._print(Text("Metrics of an epoch: train | validation", "dim"))
            self._legend_shown = True
        self._print(Text(_GAP).join(parts))
        self._epochs_done = epoch
        self._epoch_start = now

    def say(self, text: str) -> None:
        """Prints a line that stays, above the live one."""
        self._print(Text(text))

    def _print(self, text: Text) -> None:
        self._console.print(text, soft_wrap=True)

    def _current_epoch(self) -> int:
        return min(self._epochs_done + 1, self._epochs)

    def _draw(self, step: int, texts: list[tuple[int, str]]) -> None:
        """Draws the live line with these texts, by rank, after the epoch, the step and the bar."""
        if not self._live:
            return
        epoch, per_epoch = self._current_epoch(), self._steps_per_epoch
        done = step - (epoch - 1) * per_epoch
        counts = [(0, f"[bold]{_count('epoch', epoch, self._epochs)}[/]")]
        counts.append((4, _count("step", done, per_epoch)))
        self._live.update(self._epoch, completed=done, texts=[*counts, *texts])
        if self._live.live.is_started:
            self._live.refresh()


class _LiveLine(RichProgress):
    """One line with as many columns as the width of the terminal allows."""

    def __init__(self, console: Console, clock: Callable[[], float]) -> None:
        super().__init__(
            console=console,
            auto_refresh=False,
            speed_estimate_period=_SPEED_PERIOD,
            transient=True,
            redirect_stdout=False,  # Results go there, perhaps into a file.
            redirect_stderr=False,
            get_time=clock,
        )

    def get_renderables(self) -> Iterator[RenderableType]:
        """The line, as a table of one row."""
        if not self.tasks:  # Rich draws once before it has any.
            return
        task = self.tasks[-1]
        bar = ProgressBar(total=task.total, completed=task.completed, width=_BAR_WIDTH[0])
        columns = [(rank, Text.from_markup(text)) for rank, text in task.fields["texts"] if text]
        columns.insert(2, (_BAR_RANK, Text(" " * _BAR_WIDTH[0])))
        # The last column stays free: a cursor beyond it makes some terminals wrap.
        width = self.console.width - 1
        while (used := _line_width(columns)) > width and len(columns) > 1:
            columns.remove(max(columns, key=lambda column: column[0]))
        bar.width = min(_BAR_WIDTH[0] + width - used, _BAR_WIDTH[1])
        row = Table.grid(*[Column(no_wrap=True) for _ in columns], padding=(0, len(_GAP)))
        row.add_row(*(bar if rank == _BAR_RANK else text for rank, text in columns))
        yield Constrain(row, width)


def _line_width(columns: list[tuple[int, Text]]) -> int:
    return sum(text.cell_len + len(_GAP) for _, text in columns) - len(_GAP)


def _count(name: str, value: int, total: int) -> str:
    """The count padded to a fixed width: "epoch  3/12"."""
    return f"{name} {value:>{len(str(total))}}/{total}"


def _number(value: float) -> str:
    """Four decimals for common magnitudes, so that metrics stay aligned; else four digits."""
    if value == 0 or 0.001 <= abs(value) < 10 or not math.isfinite(value):
        return f"{value:.4f}"
    return number_text(value)


def _short(value: float) -> str:
    """A rate: 0.53, 640, 5.1k, 1.2M."""
    for suffix, unit in (("M", 1e6), ("k", 1e3)):
        if value >= unit:
            return f"{value / unit:.1f}{suffix}"
    return f"{value:.0f}" if value >= 10 else f"{value:.2g}"


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"
