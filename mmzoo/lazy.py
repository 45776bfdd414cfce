"""Keras, TensorFlow, numpy and polars, imported when they are first used.

TensorFlow takes seconds to import and numpy and polars a tenth of one, which `mmzoo --help` and
config errors must not cost. Modules write `from mmzoo.lazy import keras, np, pl, tf`.
"""

from __future__ import annotations

import importlib
import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras
    import numpy as np
    import polars as pl
    import tensorflow as tf


__all__ = ["keras", "np", "pl", "quiet_stderr", "tf"]

_IMPORTING = threading.RLock()
"""Keeps other threads from using a module that is still being imported."""


class _LazyModule(ModuleType):
    """A stand-in that imports a module when one of its attributes is first used."""

    def __getattr__(self, name: str) -> Any:
        with _IMPORTING:
            module = sys.modules.get(self.__name__) or self._load()
        value = getattr(module, name)
        setattr(self, name, value)  # Later look-ups skip `__getattr__`.
        return value

    def _load(self) -> ModuleType:
        return importlib.import_module(self.__name__)


class _LazyTensorFlow(_LazyModule):
    """TensorFlow, or Keras on top of it, without their start-up log."""

    def _load(self) -> ModuleType:
        with quiet_stderr():
            # Keras reads its backend once, at import; mmzoo's training loop is TensorFlow's.
            os.environ["KERAS_BACKEND"] = "tensorflow"
            # Errors that matter are exceptions too; the log has notes on oneDNN kernels.
            os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
            importlib.import_module("tensorflow").config.list_physical_devices()
            return importlib.import_module(self.__name__)


@contextmanager
def quiet_stderr() -> Iterator[None]:
    """Hides what C++ code writes to stderr, unless the block raises: then it is printed.

    TensorFlow logs before it reads its log level, so the file descriptor itself is redirected.
    """
    with tempfile.TemporaryFile() as captured:
        sys.stderr.flush()
        stderr = os.dup(2)
        os.dup2(captured.fileno(), 2)
        failed = True
        try:
            yield
            failed = False
        except KeyboardInterrupt:
            failed = False
            raise
        finally:
            sys.stderr.flush()
            os.dup2(stderr, 2)
            os.close(stderr)
            if failed:
                captured.seek(0)
                os.write(2, captured.read())


if not TYPE_CHECKING:
    keras = _LazyTensorFlow("keras")
    np = _LazyModule("numpy")
    pl = _LazyModule("polars")
    tf = _LazyTensorFlow("tensorflow")
