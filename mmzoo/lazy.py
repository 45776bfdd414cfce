"""The one place that imports Keras and TensorFlow: on first use, and without their start-up log.

TensorFlow takes some seconds to import, which `mmzoo --help` or a typing mistake in a config must
not cost. So modules write `from mmzoo.lazy import keras, tf` and pay when they first use them.
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
    import tensorflow as tf


__all__ = ["keras", "quiet_stderr", "tf"]

_IMPORTING = threading.RLock()
"""While one thread imports a module, others would find it half-made in `sys.modules`."""


class _LazyModule(ModuleType):
    """Stands for a module and imports it when one of its attributes is first asked for."""

    def __getattr__(self, name: str) -> Any:
        with _IMPORTING:
            module = sys.modules.get(self.__name__)
            if module is None:
                with quiet_stderr():
                    # Keras reads its backend once, at import; mmzoo's loop is TensorFlow's.
                    os.environ["KERAS_BACKEND"] = "tensorflow"
                    # Errors that matter are exceptions too; what is logged as one besides may be
                    # that oneDNN takes another kernel.
                    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
                    importlib.import_module("tensorflow").config.list_physical_devices()
                    module = importlib.import_module(self.__name__)
        value = getattr(module, name)
        setattr(self, name, value)  # The next look-up does not come here.
        return value


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
    keras = _LazyModule("keras")
    tf = _LazyModule("tensorflow")
