"""Files of named data sets: finding, verifying, downloading and building them."""

from __future__ import annotations

import hashlib
import logging
import os
import re
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from mmzoo.data.datasets.dataset_entry import SUMS, NamedSet, OfficialFile
from mmzoo.data.media_paths import MAX_BYTES
from mmzoo.directories import data_directories, data_directory
from mmzoo.download import DownloadError, digest_of, download
from mmzoo.errors import DataError
from mmzoo.files import replacing

logger = logging.getLogger(__name__)


_LINE = re.compile(r"([0-9a-f]{64}) [ *](?:\./)?(.+)")
_MAX_NAMED = 5
"""Most files that a message names."""


def verify_checksums(sums: Path, folders: Collection[str], where: str) -> None:
    """Verifies the sha256 of all files in the given folders.

    Args:
        sums: A list in the format of `sha256sum`, itself verified. Its paths are relative to it.
        folders: The folders to verify, relative to the list: "recordings".
        where: The data set, for errors.

    Raises:
        DataError: A file is missing, cannot be read or has another checksum.
    """
    listed = list(_listed(sums, folders))
    wrong = []
    for name, digest in listed:
        problem = _problem(sums.parent / name, digest)
        if problem:
            wrong.append(f"{name}: {problem}")
    if wrong:
        raise DataError(
            f"{where}: {len(wrong):,} of {len(listed):,} files in {sums.parent} are not the "
            f"official ones:\n{_shortened(wrong)}\nReplace them by the official files."
        )


def _listed(sums: Path, folders: Collection[str]) -> Iterator[tuple[str, str]]:
    """The name and sha256 of each file in the folders."""
    for line in sums.read_text(encoding="utf-8").splitlines():
        match = _LINE.fullmatch(line)
        if match is None:
            raise DataError(f"{sums} is not a list of sha256: '{line[:80]}'.")
        digest, name = match.groups()
        if os.path.dirname(name) in folders:
            yield name, digest


def _problem(path: Path, digest: str) -> str | None:
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            return "it is not a regular file"  # Opening a pipe could block forever.
        if status.st_size > MAX_BYTES:
            return f"it has {status.st_size:,} bytes"
        found = hashlib.sha256(path.read_bytes()).hexdigest()
    except FileNotFoundError:
        return "there is no such file"
    except OSError as error:
        return f"it cannot be read ({error.strerror})"
    return None if found == digest else f"its sha256 is {found}, expected {digest}"


def _shortened(lines: Sequence[str]) -> str:
    shown = [f"  {line}" for line in lines[:_MAX_NAMED]]
    if len(lines) > _MAX_NAMED:
        shown.append(f"  and {len(lines) - _MAX_NAMED:,} more")
    return "\n".join(shown)


class UnobtainableError(DataError):
    """A data set is not on this machine and cannot be downloaded. `why` is the reason, one line."""

    def __init__(self, message: str, why: str) -> None:
        super().__init__(message)
        self.why = why


def obtain(named: NamedSet) -> dict[str, Path]:
    """The verified files of a data set; missing ones are downloaded, or built from a download.

    The alternative files are used if all of them are available and the official files are not.

    Returns:
        File name -> path.

    Raises:
        UnobtainableError: A file is missing and cannot be downloaded.
        DataError: A file in `MMZOO_DATA_DIR`, or a media file, is not the official one.
    """
    files, mirrors = named.files, named.mirrors
    if named.alternatives and not _all_here(named, files) and _all_here(named, named.alternatives):
        files, mirrors = named.alternatives, ()
    if named.archives and not _all_here(named, files):
        _download_and_build(named)
    found = {file.name: _obtain(named, file, mirrors) for file in files}
    if named.media:
        verify_checksums(found[SUMS], named.media, f"data set {named.name}")
    return found


def _all_here(named: NamedSet, files: Sequence[OfficialFile]) -> bool:
    folders = [directory / named.folder_name for directory in data_directories()]
    return all(any(os.path.exists(folder / file.name) for folder in folders) for file in files)


def _download_and_build(named: NamedSet) -> None:
    reasons: list[str] = []
    for url in named.archives:
        with TemporaryDirectory(prefix="mmzoo-") as folder:
            archive = Path(folder, "archive", url.rpartition("/")[2])
            try:
                download([url], archive, None, None)
                build_files(named, archive)
                return
            except DownloadError as error:
                reasons += error.reasons
            except DataError as error:
                reasons.append(str(error).replace(str(archive), url))
    raise _unobtainable(named, named.files[0], tuple(dict.fromkeys(reasons)))


def build_files(named: NamedSet, source: Path) -> None:
    """Builds the files of a data set from a folder or an archive, into the folder for downloads.

    They are written after all of them were verified, and the tables last, so that a killed process
    leaves no data set that looks complete.

    Raises:
        DataError: `source` is not the authors' repository or archive, or files cannot be written.
    """
    assert named.build
    logger.info(f"building {named.name} from {source.name or source}")
    with TemporaryDirectory(prefix="mmzoo-") as folder:
        try:
            files = named.build(_unpack(source, Path(folder)))
        except DataError as error:
            message = str(error).replace(f"{folder}{os.sep}", f"{source}: ")
            raise DataError(
                f"{message.replace(folder, str(source))} Expected a clone or an archive of "
                f"{named.repository}."
            ) from error
    for file in named.files:
        found = hashlib.sha256(files[file.name]).hexdigest()
        if found != file.sha256:
            raise DataError(
                f"{source} is another version of {named.name} than expected: {file.name} built "
                f"from it has the sha256 {found}, expected {file.sha256}. Use "
                f"{named.archives[-1]}, or a clone at that version."
            )
    target = data_directory() / named.folder_name
    tables = {file.name: files.pop(file.name) for file in named.files}
    try:
        for name, content in files.items():
            # Not synced to the disk one by one: every use verifies them.
            path = target / name
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
            temporary.write_bytes(content)
            os.replace(temporary, path)
        for name, content in tables.items():
            with replacing(target / name) as temporary:
                temporary.write_bytes(content)
    except OSError as error:
        raise DataError(f"{error.filename} cannot be written: {error.strerror}.") from error


def _unpack(source: Path, folder: Path) -> Path:
    """The folder with the content of `source`: itself, or that of an unpacked archive."""
    if source.is_dir():
        return source
    if not source.exists():
        raise DataError(f"{source}: there is no such folder or archive.")
    try:
        if zipfile.is_zipfile(source):
            with zipfile.ZipFile(source) as zipped:
                zipped.extractall(folder)
        elif source.is_file() and tarfile.is_tarfile(source):
            with tarfile.open(source) as archive:
                for member in archive:
                    path = folder / member.name
                    content = archive.extractfile(member) if member.isreg() else None
                    if content and path.resolve().is_relative_to(folder.resolve()):
                        path.parent.mkdir(parents=True, exist_ok=True)
                        path.write_bytes(content.read())
        else:
            raise DataError(f"{source} is neither a folder nor an archive (.zip, .tar or .tar.gz).")
    except (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, OSError) as error:
        raise DataError(f"{source} is damaged or cannot be unpacked: {error}.") from error
    return folder


def _obtain(named: NamedSet, file: OfficialFile, mirrors: Sequence[str]) -> Path:
    *given, cache = (folder / named.folder_name / file.name for folder in data_directories())
    for path in (*given, cache):
        if not os.path.exists(path):  # Also False without permission to enter the folder.
            continue
        problem = _file_problem(path, file)
        if problem is None:
            return path
        if path in given or not mirrors:
            raise DataError(
                f"{path} is not the official file of {named.name}: {problem}.\n"
                f"Remove it and run `mmzoo data fetch {named.name}`, or replace it yourself."
            )
        logger.info(f"{path} is damaged and is downloaded again: {problem}")

    target = data_directory() / named.folder_name / file.name
    urls = [f"{mirror}/{file.name}" for mirror in mirrors]
    try:
        download(urls, target, file.size, file.sha256)
    except DownloadError as error:
        raise _unobtainable(named, file, error.reasons) from error
    return target


def _file_problem(path: Path, file: OfficialFile) -> str | None:
    try:
        size = path.stat().st_size
        if size != file.size:
            return f"it has {size:,} bytes, expected {file.size:,}"
        found = digest_of(path)
    except OSError as error:
        return f"it cannot be read ({error.strerror})"
    return None if found == file.sha256 else f"its sha256 is {found}, expected {file.sha256}"


def _unobtainable(named: NamedSet, file: OfficialFile, reasons: Sequence[str]) -> UnobtainableError:
    folders = " nor in ".join(str(folder / named.folder_name) for folder in data_directories())
    offline = os.environ.get("MMZOO_OFFLINE", "0") not in ("", "0")
    online = "without MMZOO_OFFLINE" if offline else "with a network connection"
    ways = [f"run `mmzoo data fetch {named.name}` {online}"]
    if named.archives:
        ways.append(
            f"download {named.archives[-1]}, or clone its repository, and run "
            f"`mmzoo data build {named.name} ARCHIVE_OR_FOLDER`"
        )
    else:
        target = data_directory() / named.folder_name
        ways.append(f"put its official files ({named.homepage}) into {target}")
    ways.append(f"set MMZOO_DATA_DIR to a folder that has {named.folder_name}/{file.name}")
    return UnobtainableError(
        f"data set {named.name} is not available: {file.name} is not in {folders}, and no download "
        f"of it succeeded:\n{_indented(reasons)}\nTo fix this, do one of:\n{_indented(ways)}",
        why=f"{file.name}: {reasons[-1]}",
    )


def _indented(lines: Sequence[str]) -> str:
    return "\n".join(f"  {line}" for line in lines)
