"""Ctrl-C and SIGTERM: finish the step, save, then exit."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Stop:
    """Whether a signal requested to stop.

    Attributes:
        signal_number: the signal, or None.
    """

    def __init__(self) -> None:
        self.signal_number: int | None = None

    def __bool__(self) -> bool:
        return self.signal_number is not None


@contextmanager
def stop_on_signals() -> Iterator[Stop]:
    """Turns the first Ctrl-C or SIGTERM into a request; the next of either ends the process.

    Enter it after TensorFlow's devices have started, since they install handlers of their own.
    Signals reach only the main thread; in other threads this does nothing.
    """
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return

    def request(number: int, frame: FrameType | None) -> None:
        if stop:
            # As if there were no handler. Not restored earlier: Python warns of a signal that came
            # while there was a handler and is delivered when there is none.
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
        stop.signal_number = number

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        signal.signal(number, request)
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler or signal.SIG_DFL)  # None: it was installed by C code.
