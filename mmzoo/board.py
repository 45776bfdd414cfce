"""`mmzoo board`: TensorBoard over run directories."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

from mmzoo.errors import RunError


def serve_board(directory: Path, port: int, tell: Callable[[str], None]) -> None:
    """Serves TensorBoard for the runs below a directory until Ctrl-C.

    Only to this machine: TensorBoard asks nobody who they are.

    Raises:
        RunError: there is no such directory, or the port cannot be had.
    """
    if not directory.is_dir():
        raise RunError(f"{directory}: there is no such directory")
    # A process of its own: TensorBoard's server, which is not ours to stop in any finer way.
    tell(f"TensorBoard of {directory}: http://localhost:{port}/ (Ctrl-C ends it)")
    arguments = ["--logdir", str(directory), "--port", str(port), "--host", "localhost"]
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", "tensorboard.main", *arguments])
