"""One attempt at one mirror: what is asked of it, and whether its answer can be the file."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import BufferedRandom
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import requests

_CHUNK = 1 << 16
_LARGEST = 4_000_000_000
"""Bytes that no file is expected to exceed whose length is not known beforehand."""


class Fault(Exception):
    """What went wrong with one attempt at one mirror."""


@dataclass(frozen=True)
class Limits:
    """How long a mirror may take before it is given up."""

    connect: float = 5.0
    """Seconds until it answers a connection."""
    stall: float = 20.0
    """Seconds in which not a byte arrives."""
    slack: float = 60.0
    """Seconds that any file may take."""
    pace: float = 100_000.0
    """Bytes a second, on average, that a mirror must reach once the slack is used up."""

    def total(self, size: int) -> float:
        """Seconds that a file of `size` bytes may take."""
        return self.slack + size / self.pace


@dataclass(frozen=True)
class WantedFile:
    """What is known of a file before it comes."""

    size: int | None
    digest: str | None


def receive(
    url: str, part: BufferedRandom, offset: int, wanted: WantedFile, limits: Limits
) -> None:
    """Appends to `part` what a mirror has from `offset` on, or from the start if it must."""
    import requests
    from urllib3.exceptions import HTTPError

    # A server that packs what it sends would spoil both the length and the place to go on from.
    headers = {"Accept-Encoding": "identity", "User-Agent": "mmzoo"}
    if offset:
        headers["Range"] = f"bytes={offset}-"
    try:
        _knock(url, limits)
        with (
            requests.Session() as session,
            session.get(
                url, headers=headers, stream=True, timeout=(limits.connect, limits.stall)
            ) as answer,
        ):
            start, size = _check_answer(answer, part, offset, wanted)
            _append(answer, part, start, size, limits)
    except (requests.RequestException, HTTPError) as error:
        raise Fault(_plainly(error, limits)) from error


def _append(
    answer: requests.Response, part: BufferedRandom, done: int, size: int | None, limits: Limits
) -> None:
    """Appends the answer's bytes to the `done` that are there, up to `size` if that is known."""
    most = _LARGEST if size is None else size
    deadline = monotonic() + limits.total(most)
    with _progress(part.name, size) as show:
        while chunk := answer.raw.read1(_CHUNK, decode_content=False):
            done += len(chunk)
            if done > most:
                part.truncate(0)
                raise Fault(f"sends more than the {most:,} bytes it should")
            part.write(chunk)
            show(done)
            if monotonic() > deadline:
                raise Fault(f"too slow: {done:,} of {most:,} bytes when its time was up")
    if size is not None and done < size:
        raise Fault(f"breaks off after {done:,} of {size:,} bytes")


def _knock(url: str, limits: Limits) -> None:
    """Tries one address of each kind that the host has, so that a silent network is found soon.

    Large hosts have a dozen addresses, and requests gives each of them the whole time-out.
    """
    import requests

    if requests.utils.select_proxy(url, requests.utils.get_environ_proxies(url)):
        return  # Then it is not us who looks for the host.
    place = urlsplit(url)
    port = place.port or {"https": 443, "http": 80}.get(place.scheme)
    try:
        found = socket.getaddrinfo(place.hostname, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise Fault("cannot be reached: no such host is known here") from error
    firsts = {family: str(address[0]) for family, _, _, _, address in reversed(found)}
    for address in firsts.values():
        with suppress(OSError), socket.create_connection((address, port), limits.connect):
            return
    raise Fault(f"cannot be reached within {limits.connect:g} s")


def _check_answer(
    answer: requests.Response, part: BufferedRandom, offset: int, wanted: WantedFile
) -> tuple[int, int | None]:
    """Says from which byte on the answer goes, once it can be the file that is wanted.

    And how long the whole file is, as far as that is known now.
    """
    if answer.status_code == 416:
        part.truncate(0)
    if answer.status_code not in (200, 206):
        raise Fault(f"answers {answer.status_code} {answer.reason}")
    start = offset if answer.status_code == 206 else 0
    if start and not answer.headers.get("Content-Range", "").startswith(f"bytes {start}-"):
        part.truncate(0)
        raise Fault("answers with another part of the file than it was asked for")
    length = answer.headers.get("Content-Length")
    size = wanted.size
    if size is None and length is not None:
        size = start + int(length)
    if size is None and wanted.digest is None:
        raise Fault("does not say how long the file is, so nothing would tell that it is whole")
    if wanted.size is None and size is not None and size > _LARGEST:
        raise Fault(f"offers {size:,} bytes, expected {_LARGEST:,} at most")
    if size is not None and length not in (None, str(size - start)):
        raise Fault(f"offers {length} bytes, expected {size - start}")
    part.truncate(start)
    return start, size


def _plainly(error: Exception, limits: Limits) -> str:
    import requests
    from urllib3.exceptions import ProtocolError, ReadTimeoutError

    if isinstance(error, requests.ConnectTimeout):
        return f"does not answer within {limits.connect:g} s"
    if isinstance(error, requests.ReadTimeout | ReadTimeoutError):
        return f"stalls: nothing came for {limits.stall:g} s"
    if isinstance(error, requests.exceptions.SSLError):
        return "its certificate is not trusted"
    if isinstance(error, requests.exceptions.InvalidSchema):
        return "leads to an address that is neither http nor https"
    if isinstance(error, requests.ConnectionError):
        return "cannot be reached"
    if isinstance(error, ProtocolError):
        return "breaks off half-way"
    return f"fails ({type(error).__name__})"


@contextmanager
def _progress(name: str, size: int | None) -> Iterator[Callable[[int], None]]:
    """A bar on stderr if somebody looks at it; yields what to call with the bytes done."""
    if not sys.stderr.isatty():
        yield lambda done: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(Path(name).stem, total=size)
        yield lambda done: progress.update(task, completed=done)
