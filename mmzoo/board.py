"""`mmzoo board`: TensorBoard over run directories."""

from __future__ import annotations

import socket
from pathlib import Path

from mmzoo.errors import RunError
from mmzoo.lazy import quiet_stderr, tf
from mmzoo.spec import did_you_mean


def start_board(directory: Path, port: int) -> str:
    """Starts TensorBoard for the runs below a directory, and returns its address.

    It listens on localhost only, since TensorBoard has no authentication.

    Args:
        directory: a run, or any folder with runs below it.
        port: 0 for any free port.

    Raises:
        RunError: there is no such directory, or the port is in use.
    """
    if not directory.is_dir():
        beside = [path.name for path in directory.parent.glob("*") if path.is_dir()]
        near = did_you_mean(directory.name, beside) or "."
        raise RunError(
            f"{directory}: there is no such directory{near} "
            "`mmzoo train CONFIG` makes runs in runs/."
        )
    _require_free(port)  # TensorBoard reports it too, but only after seconds of start-up.
    with quiet_stderr():
        from tensorboard import program

        _ = tf.io  # Imported now, with stderr silenced; else on the first page view.
        server = program.TensorBoard()
        server.configure(logdir=str(directory), host="localhost", port=port)
        return server.launch()


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        # As TensorBoard's server does, so that a recently closed port counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("localhost", port))
        except OSError as error:
            raise RunError(
                f"port {port}: {error.strerror}. Choose another with --port; 0 takes any free port."
            ) from error
