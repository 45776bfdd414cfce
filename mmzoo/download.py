"""Downloads of files from mirrors, verified by size and hash and resumable.

Received bytes are stored in `<file>.part`, from which a later attempt resumes, from any mirror,
after a broken connection or a killed process. Only a verified file is renamed to its final name.
"""

from __future__ import annotations

import hashlib
import logging
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

logger = logging.getLogger(__name__)

_CHUNK = 1 << 16
_LARGEST = 4_000_000_000
"""Largest size in bytes of a file whose length the server does not announce."""


class DownloadError(Exception):
    """No mirror served the file. `reasons` has one entry per attempt."""

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = tuple(reasons)


class _MirrorError(Exception):
    """Failure of one attempt at one mirror."""


@dataclass(frozen=True)
class Limits:
    """Time limits for a mirror."""

    connect: float = 5.0
    """Seconds to connect."""
    stall: float = 20.0
    """Seconds without any data."""
    slack: float = 60.0
    """Seconds that a file of any size may take."""
    pace: float = 100_000.0
    """Bytes per second, on average, once the slack is used up."""

    def total(self, size: int) -> float:
        """Seconds that `size` bytes may take."""
        return self.slack + size / self.pace


@dataclass(frozen=True)
class _ExpectedFile:
    """Size and hash of a file, as far as they are known before the download."""

    size: int | None
    digest: str | None


LIMITS = Limits()


def download(
    urls: Sequence[str], path: Path, size: int | None, digest: str | None, limits: Limits = LIMITS
) -> None:
    """Downloads a file; `path` is complete or untouched at any moment.

    If several processes want the same file, the first downloads it and the others wait.

    Args:
        urls: mirrors with identical content, in the order to try them.
        path: where the file goes. Its folder is created.
        size: bytes of the whole file, more of which are never written; None if unknown, in which
            case the mirror's length is used, or the end of a chunked response.
        digest: sha256 in hexadecimal, or md5 if nothing better was published; None if there is
            neither, in which case a partial download is never resumed.
        limits: time limits.

    Raises:
        DownloadError: no mirror served the file, it cannot be written, or `MMZOO_OFFLINE` is set.
    """
    if os.environ.get("MMZOO_OFFLINE", "0") not in ("", "0"):
        raise DownloadError(["MMZOO_OFFLINE is set, so nothing is downloaded"])
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _exclusively(path.with_name(f"{path.name}.part")) as part:
            if path.is_file() and digest and digest_of(path, algorithm_of(digest)) == digest:
                return  # Another process was quicker.
            _try_mirrors(urls, part, _ExpectedFile(size, digest), limits)
            os.fsync(part.fileno())
            os.replace(part.name, path)
    except OSError as error:
        raise DownloadError([f"{path} cannot be written: {error.strerror or error}"]) from error
    finally:
        with suppress(OSError):  # Nothing was received: no empty folder stays.
            path.parent.rmdir()


@contextmanager
def _exclusively(path: Path) -> Iterator[BufferedRandom]:
    """Opens a file for reading and appending, once no other process holds it."""
    import fcntl

    while True:
        file = path.open("a+b")
        with suppress(OSError):  # Some network disks have no locks; the hash is still verified.
            fcntl.flock(file, fcntl.LOCK_EX)
        # The previous holder renamed or removed the file, unless its download failed.
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


def _try_mirrors(
    urls: Sequence[str], part: BufferedRandom, wanted: _ExpectedFile, limits: Limits
) -> None:
    reasons = []
    for url in urls:
        for _ in range(2):
            if wanted.digest is None:
                part.truncate(0)  # The partial file might be from a different file.
            before = part.seek(0, os.SEEK_END)
            try:
                if wanted.size is None or before < wanted.size:
                    logger.info(_announcement(url, before, wanted.size))
                    _receive(url, part, before, wanted, limits)
                _check(part, wanted)
                return
            except _MirrorError as error:
                reasons.append(f"{url}: {error}")
            # A mirror is tried again only if the attempt changed the partial file: the connection
            # broke, or a wrong partial file was discarded.
            if part.seek(0, os.SEEK_END) == before:
                break
    raise DownloadError(reasons)


def _check(part: BufferedRandom, wanted: _ExpectedFile) -> None:
    """Discards a file of the wrong length or hash."""
    length = part.seek(0, os.SEEK_END)
    if wanted.digest is None:
        return  # `_append` has checked the length, or the HTTP client the last chunk.
    part.seek(0)
    algorithm = algorithm_of(wanted.digest)
    found = hashlib.file_digest(part, algorithm).hexdigest()
    if found != wanted.digest or wanted.size not in (None, length):
        part.truncate(0)
        raise _MirrorError(f"is another file: its {algorithm} is {found}, expected {wanted.digest}")


def _announcement(url: str, offset: int, size: int | None) -> str:
    host, file = urlsplit(url).netloc, url.rpartition("/")[2]
    length = "" if size is None else f" ({size / 1e6:.1f} MB)"
    resumed = f", resuming after {offset / 1e6:.1f} MB" if offset else ""
    return f"downloading {file}{length} from {host}{resumed}"


def _receive(
    url: str, part: BufferedRandom, offset: int, wanted: _ExpectedFile, limits: Limits
) -> None:
    """Appends a mirror's bytes from `offset` on, or replaces all if it cannot resume."""
    import requests
    from urllib3.exceptions import HTTPError

    # Compressed responses would have another length and other offsets.
    headers = {"Accept-Encoding": "identity", "User-Agent": "mmzoo"}
    if offset:
        headers["Range"] = f"bytes={offset}-"
    try:
        _check_reachable(url, limits)
        with (
            requests.Session() as session,
            session.get(
                url, headers=headers, stream=True, timeout=(limits.connect, limits.stall)
            ) as answer,
        ):
            start, size = _check_response(answer, part, offset, wanted)
            _append(answer, part, start, size, limits)
    except (requests.RequestException, HTTPError) as error:
        raise _MirrorError(_describe(error, limits)) from error


def _append(
    answer: requests.Response, part: BufferedRandom, done: int, size: int | None, limits: Limits
) -> None:
    """Appends a response to the `done` bytes already received, up to `size` if known."""
    most = _LARGEST if size is None else size
    deadline = monotonic() + limits.total(most)
    with _progress(part.name, size) as show:
        while chunk := answer.raw.read1(_CHUNK, decode_content=False):
            done += len(chunk)
            if done > most:
                part.truncate(0)
                raise _MirrorError(f"sends more than the {most:,} bytes it should")
            part.write(chunk)
            show(done)
            if monotonic() > deadline:
                raise _MirrorError(f"too slow: {done:,} of {most:,} bytes within the time limit")
    if size is not None and done < size:
        raise _MirrorError(f"breaks off after {done:,} of {size:,} bytes")


def _check_reachable(url: str, limits: Limits) -> None:
    """Connects to one IPv4 and one IPv6 address of the host, to detect a dead network quickly.

    Large hosts have a dozen addresses, and requests spends the whole time-out on each of them.
    """
    import requests

    if requests.utils.select_proxy(url, requests.utils.get_environ_proxies(url)):
        return  # The proxy resolves the host.
    place = urlsplit(url)
    port = place.port or {"https": 443, "http": 80}.get(place.scheme)
    try:
        found = socket.getaddrinfo(place.hostname, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise _MirrorError("cannot be reached: no such host is known here") from error
    firsts = {family: str(address[0]) for family, _, _, _, address in reversed(found)}
    for address in firsts.values():
        with suppress(OSError), socket.create_connection((address, port), limits.connect):
            return
    raise _MirrorError(f"cannot be reached within {limits.connect:g} s")


def _check_response(
    answer: requests.Response, part: BufferedRandom, offset: int, wanted: _ExpectedFile
) -> tuple[int, int | None]:
    """Checks that a response can be the expected file.

    Returns:
        The offset of its first byte, and the size of the whole file if known.
    """
    if answer.status_code == 416:
        part.truncate(0)
    if answer.status_code not in (200, 206):
        raise _MirrorError(f"answers {answer.status_code} {answer.reason}")
    start = offset if answer.status_code == 206 else 0
    if start and not answer.headers.get("Content-Range", "").startswith(f"bytes {start}-"):
        part.truncate(0)
        raise _MirrorError("answers with another part of the file than was requested")
    length = answer.headers.get("Content-Length")
    size = wanted.size
    if size is None and length is not None:
        size = start + int(length)
    chunked = answer.headers.get("Transfer-Encoding", "") == "chunked"  # Its end is marked.
    if size is None and wanted.digest is None and not chunked:
        raise _MirrorError("does not give the length of the file, so it cannot be verified")
    if wanted.size is None and size is not None and size > _LARGEST:
        raise _MirrorError(f"offers {size:,} bytes, expected {_LARGEST:,} at most")
    if size is not None and length not in (None, str(size - start)):
        raise _MirrorError(f"offers {length} bytes, expected {size - start}")
    part.truncate(start)
    return start, size


def _describe(error: Exception, limits: Limits) -> str:
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
    """A progress bar if stderr is a terminal; yields a function of the bytes received."""
    if not sys.stderr.isatty():
        yield lambda done: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(Path(name).stem, total=size)
        yield lambda done: progress.update(task, completed=done)


def algorithm_of(digest: str) -> str:
    """The hash algorithm of a hexadecimal digest, by its length: "md5" or "sha256"."""
    return "md5" if len(digest) == 32 else "sha256"


def digest_of(path: Path, algorithm: str = "sha256") -> str:
    """The hash of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()
