"""`mmzoo board`: TensorBoard over run directories, for this machine only."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit

from mmzoo.errors import RunError
from mmzoo.lazy import quiet_stderr, tf
from mmzoo.spec import nearest

Environment = dict[str, object]
Application = Callable[[Environment, Callable[..., object]], Iterable[bytes]]
"""A WSGI application."""

_LOCAL = {"localhost", "127.0.0.1", "::1"}
_REFUSAL = (
    b"mmzoo board answers only requests to localhost. To see it from another machine, forward the "
    b"port: ssh -L 6006:localhost:6006 HOST, then open http://localhost:6006/\n"
)


def start_board(directory: Path, port: int) -> str:
    """Starts TensorBoard for the runs below a directory, and returns its address.

    It listens on localhost only, since TensorBoard has no authentication, and refuses requests to
    other host names.

    Args:
        directory: a run, or any folder with runs below it.
        port: 0 for any free port.

    Raises:
        RunError: there is no such directory, or the port is in use.
    """
    if not directory.is_dir():
        if directory.is_file():
            raise RunError(f"{directory}: a file; give a run, or a folder with runs below it.")
        raise RunError(
            f"{directory}: there is no such directory{_suggest(directory)} "
            "`mmzoo train CONFIG` makes runs in runs/."
        )
    _require_free(port)  # TensorBoard reports it too, but only after seconds of start-up.
    with quiet_stderr():
        from tensorboard import program

        _ = tf.io  # Imported now, with stderr silenced; else on the first page view.
        server = program.TensorBoard(
            server_class=lambda app, flags: program.WerkzeugServer(local_only(app), flags)
        )
        server.configure(logdir=str(directory), host="localhost", port=port)
        return server.launch()


def _suggest(directory: Path) -> str:
    for folder in dict.fromkeys((directory.parent, Path("runs"))):
        names = [path.name for path in folder.glob("*") if path.is_dir()]
        if near := nearest(directory.name, names):
            return f"; did you mean '{folder / near}'?"
    return "."


def local_only(application: Application) -> Application:
    """The application for requests to localhost; others get status 403.

    A web page may give its own host name the address 127.0.0.1 (DNS rebinding). Its scripts could
    then read all runs, if the `Host` header were not checked.
    """

    def checked(environment: Environment, start: Callable[..., object]) -> Iterable[bytes]:
        if _host_name(str(environment.get("HTTP_HOST", ""))) in _LOCAL:
            return application(environment, start)
        length = str(len(_REFUSAL))
        start("403 Forbidden", [("Content-Type", "text/plain"), ("Content-Length", length)])
        return [_REFUSAL]

    return checked


def _host_name(header: str) -> str | None:
    try:
        return urlsplit(f"//{header}").hostname
    except ValueError:
        return None


def exit_on_interrupt() -> NoReturn:
    """Waits for Ctrl-C, and ends the process at once.

    Not by an exception: TensorBoard's threads are in native code, in which Python's own shutdown
    sometimes hangs or aborts. The pipe wakes this thread whichever thread receives the signal.
    """
    awakened, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake)
    signal.signal(signal.SIGINT, lambda number, frame: None)
    os.read(awakened, 1)
    os._exit(0)


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
