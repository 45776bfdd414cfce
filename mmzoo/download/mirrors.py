"""Downloads one file from the first of several mirrors that gives it whole and unchanged.

What has arrived waits in `<file>.part` and is gone on with, from any mirror, after a broken
connection or a killed process. Only a file of the right length and hash gets its real name.
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from io import BufferedRandom
from pathlib import Path
from urllib.parse import urlsplit

from mmzoo.download.answer import Fault, Limits, WantedFile, receive
from mmzoo.download.hashes import algorithm_of, digest_of

logger = logging.getLogger(__name__)


class DownloadError(Exception):
    """No mirror gave the file. `reasons` has one for each attempt."""

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = tuple(reasons)


LIMITS = Limits()


def download(
    urls: Sequence[str], path: Path, size: int | None, digest: str | None, limits: Limits = LIMITS
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
            _ask_mirrors(urls, part, WantedFile(size, digest), limits)
            os.fsync(part.fileno())
            os.replace(part.name, path)
    except OSError as error:
        raise DownloadError([f"{path} cannot be written: {error.strerror or error}"]) from error
    finally:
        with suppress(OSError):  # Nothing came, so no empty folder stays.
            path.parent.rmdir()


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
    urls: Sequence[str], part: BufferedRandom, wanted: WantedFile, limits: Limits
) -> None:
    reasons = []
    for url in urls:
        for _ in range(2):
            if wanted.digest is None:
                part.truncate(0)  # Nothing would tell whether two halves are of one file.
            before = part.seek(0, os.SEEK_END)
            try:
                if wanted.size is None or before < wanted.size:
                    logger.info(_announcement(url, before, wanted.size))
                    receive(url, part, before, wanted, limits)
                _check(part, wanted)
                return
            except Fault as fault:
                reasons.append(f"{url}: {fault}")
            # A mirror is asked again only where that attempt changed what we hold: it broke off
            # half-way, or what it went on from was wrong and is thrown away.
            if part.seek(0, os.SEEK_END) == before:
                break
    raise DownloadError(reasons)


def _check(part: BufferedRandom, wanted: WantedFile) -> None:
    """Throws away what has the wrong length or hash."""
    length = part.seek(0, os.SEEK_END)
    if wanted.digest is None:
        return  # Of a length that `_append` has seen to.
    part.seek(0)
    algorithm = algorithm_of(wanted.digest)
    found = hashlib.file_digest(part, algorithm).hexdigest()
    if found != wanted.digest or wanted.size not in (None, length):
        part.truncate(0)
        raise Fault(f"is another file: its {algorithm} is {found}, expected {wanted.digest}")


def _announcement(url: str, offset: int, size: int | None) -> str:
    host, file = urlsplit(url).netloc, url.rpartition("/")[2]
    length = "" if size is None else f" ({size / 1e6:.1f} MB)"
    resumed = f", going on after {offset / 1e6:.1f} MB" if offset else ""
    return f"downloading {file}{length} from {host}{resumed}"
