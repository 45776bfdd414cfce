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
"""While one thread imports a module, others would find it half-made in `sys.modules`."""


class _LazyModule(ModuleType):
    """A stand-in that imports a module when one of its attributes is first used."""

    def __getattr__(self, name: str) -> Any:
        with _IMPORTING:
            module = sys.modules.get(self.__name__) or self._load()
        value = getattr(module, name)
        setattr(self, name, value)  # The next look-up does not come here.
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
    """Holds back what C++ code writes to stderr; gives it out after all if the block raises.

    TensorFlow logs before its own log level is read, so only the file descriptor can be silenced.
    """
    with tempfile.TemporaryFile() as held:
        sys.stderr.flush()
        stderr = os.dup(2)
        os.dup2(held.fileno(), 2)
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
                held.seek(0)
                os.write(2, held.read())


if not TYPE_CHECKING:
    keras = _LazyTensorFlow("keras")
    np = _LazyModule("numpy")
    pl = _LazyModule("polars")
    tf = _LazyTensorFlow("tensorflow")
