"""Downloads one file from the first of several mirrors that gives it whole and unchanged.

What has arrived waits in `<file>.part` and is gone on with, from any mirror, after a broken
connection or a killed process. Only a file of the right length and hash gets its real name.
"""

from __future__ import annotations

import hashlib
import os
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
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


class DownloadError(Exception):
    """No mirror gave the file. `reasons` has one for each attempt."""

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = tuple(reasons)


class _Fault(Exception):
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


LIMITS = Limits()


@dataclass(frozen=True)
class _Wanted:
    """What is known of a file before it comes."""

    size: int | None
    digest: str | None


def download(
    urls: Sequence[str],
    path: Path,
    size: int | None,
    digest: str | None,
    tell: Callable[[str], None],
    limits: Limits = LIMITS,
) -> None:
    """Fetches a file; `path` is whole or untouched at any moment.

    Several processes may ask for one file: the first downloads, the others wait for it.

    Args:
        urls: Addresses of the very same bytes, in the order in which to ask them.
        path: Where the file goes. Its folder is made.
        size: Bytes of the whole file, no more of which are ever written; None where its publisher
            does not say, so that the mirror's word is taken for it.
        digest: The sha256 in hexadecimal, or the md5 of a file that was published with no better;
            None where there is neither. Such a file is never pieced together from two answers.
        tell: Receives a sentence at the start of each attempt.
        limits: Time-outs.

    Raises:
        DownloadError: No mirror gave the file, the disk refused it, or `MMZOO_OFFLINE` is set.
    """
    if os.environ.get("MMZOO_OFFLINE", "0") not in ("", "0"):
        raise DownloadError(["MMZOO_OFFLINE is set, so nothing is downloaded"])
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _alone(path.with_name(f"{path.name}.part")) as part:
            if path.is_file() and digest and digest_of(path, algorithm_of(digest)) == digest:
                return  # Another process was quicker.
            _ask_mirrors(urls, part, _Wanted(size, digest), tell, limits)
            os.fsync(part.fileno())
            os.replace(part.name, path)
    except OSError as error:
        raise DownloadError([f"{path} cannot be written: {error.strerror or error}"]) from error
    finally:
        with suppress(OSError):  # Nothing came, so no empty folder stays.
            path.parent.rmdir()


def algorithm_of(digest: str) -> str:
    """Which hash a digest in hexadecimal is of, by its length."""
    return "md5" if len(digest) == 32 else "sha256"


def digest_of(path: Path, algorithm: str = "sha256") -> str:
    """The file's hash, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()


@contextmanager
def _alone(path: Path) -> Iterator[BufferedRandom]:
    """Opens a file for reading and appending once no other process has it open that way."""
    import fcntl

    while True:
        file = path.open("a+b")
        with suppress(OSError):  # Some network disks lock nothing; the hash still guards us.
            fcntl.flock(file, fcntl.LOCK_EX)
        # Whoever held the lock has renamed or removed the file, unless its download failed.
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(file.fileno()), path.stat()):
                break
        file.close()
    try:
        yield file
    finally:
        with suppress(FileNotFoundError):
            if path.stat().st_size == 0:
                path.unlink()
        file.close()


def _ask_mirrors(
    urls: Sequence[str],
    part: BufferedRandom,
    wanted: _Wanted,
    tell: Callable[[str], None],
    limits: Limits,
) -> None:
    reasons = []
    for url in urls:
        for _ in range(2):
            if wanted.digest is None:
                part.truncate(0)  # Nothing would tell whether two halves are of one file.
            before = part.seek(0, os.SEEK_END)
            try:
                if wanted.size is None or before < wanted.size:
                    tell(_announcement(url, before, wanted.size))
                    _receive(url, part, before, wanted, limits)
                _check(part, wanted)
                return
            except _Fault as fault:
                reasons.append(f"{url}: {fault}")
            # A mirror is asked again only where that attempt changed what we hold: it broke off
            # half-way, or what it went on from was wrong and is thrown away.
            if part.seek(0, os.SEEK_END) == before:
                break
    raise DownloadError(reasons)


def _receive(url: str, part: BufferedRandom, offset: int, wanted: _Wanted, limits: Limits) -> None:
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
        raise _Fault(_plainly(error, limits)) from error


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
                raise _Fault(f"sends more than the {most:,} bytes it should")
            part.write(chunk)
            show(done)
            if monotonic() > deadline:
                raise _Fault(f"too slow: {done:,} of {most:,} bytes when its time was up")
    if size is not None and done < size:
        raise _Fault(f"breaks off after {done:,} of {size:,} bytes")


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
        raise _Fault("cannot be reached: no such host is known here") from error
    firsts = {family: str(address[0]) for family, _, _, _, address in reversed(found)}
    for address in firsts.values():
        with suppress(OSError), socket.create_connection((address, port), limits.connect):
            return
    raise _Fault(f"cannot be reached within {limits.connect:g} s")


def _check_answer(
    answer: requests.Response, part: BufferedRandom, offset: int, wanted: _Wanted
) -> tuple[int, int | None]:
    """Says from which byte on the answer goes, once it can be the file that is wanted.

    And how long the whole file is, as far as that is known now.
    """
    if answer.status_code == 416:
        part.truncate(0)
    if answer.status_code not in (200, 206):
        raise _Fault(f"answers {answer.status_code} {answer.reason}")
    start = offset if answer.status_code == 206 else 0
    if start and not answer.headers.get("Content-Range", "").startswith(f"bytes {start}-"):
        part.truncate(0)
        raise _Fault("answers with another part of the file than it was asked for")
    length = answer.headers.get("Content-Length")
    size = wanted.size
    if size is None and length is not None:
        size = start + int(length)
    if size is None and wanted.digest is None:
        raise _Fault("does not say how long the file is, so nothing would tell that it is whole")
    if wanted.size is None and size is not None and size > _LARGEST:
        raise _Fault(f"offers {size:,} bytes, expected {_LARGEST:,} at most")
    if size is not None and length not in (None, str(size - start)):
        raise _Fault(f"offers {length} bytes, expected {size - start}")
    part.truncate(start)
    return start, size


def _check(part: BufferedRandom, wanted: _Wanted) -> None:
    """Throws away what has the wrong length or hash."""
    length = part.seek(0, os.SEEK_END)
    if wanted.digest is None:
        return  # Of a length that `_append` has seen to.
    part.seek(0)
    algorithm = algorithm_of(wanted.digest)
    found = hashlib.file_digest(part, algorithm).hexdigest()
    if found != wanted.digest or wanted.size not in (None, length):
        part.truncate(0)
        raise _Fault(f"is another file: its {algorithm} is {found}, expected {wanted.digest}")


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


def _announcement(url: str, offset: int, size: int | None) -> str:
    host, file = urlsplit(url).netloc, url.rpartition("/")[2]
    length = "" if size is None else f" ({size / 1e6:.1f} MB)"
    resumed = f", going on after {offset / 1e6:.1f} MB" if offset else ""
    return f"downloading {file}{length} from {host}{resumed}"


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
