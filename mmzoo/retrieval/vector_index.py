"""Vector index: vectors of examples and what identifies them, as an .npz or .parquet file.

In either file `<input>_vector` has the vectors of an input, and other columns identify the rows;
the entry `mmzoo` is a JSON text on the run that the vectors are from. Nothing is pickled.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmzoo.errors import DataError
from mmzoo.files import replacing
from mmzoo.lazy import np, pl
from mmzoo.spec.wording import escape
from mmzoo.tables import json_value, writable

ENDINGS = (".npz", ".parquet")
_SUFFIX = "_vector"
_ABOUT = "mmzoo"
_FIELDS = ("run", "fingerprint", "head", "inputs")


@dataclass(frozen=True)
class VectorIndex:
    """The vectors of some examples.

    Attributes:
        vectors: input -> float32 `[rows, dim]`, NaN where a row lacks the input. The fused features
            of all inputs are under "fused".
        given: columns that identify the rows: `file`, `text`, or those of a table.
        run: the run directory.
        fingerprint: of the run's weights and preprocessing.
        head: the contrastive head that projects the vectors; "" for those of encoders or fusion.
    """

    vectors: dict[str, np.ndarray]
    given: Mapping[str, Sequence[Any] | pl.Series]
    run: str
    fingerprint: str
    head: str = ""

    @property
    def rows(self) -> int:
        return len(next(iter(self.vectors.values())))

    def write(self, path: Path | str) -> None:
        """Writes the file atomically; its name ends in .npz or .parquet.

        An .npz file has texts as numpy texts, "" where there is none; other values than texts and
        numbers as JSON. Parquet keeps all types.
        """
        path = Path(path)
        check_ending(path)
        vectors = {f"{name}{_SUFFIX}": values for name, values in self.vectors.items()}
        taken = {*vectors, _ABOUT}
        given = {f"{key}_given" if key in taken else key: of for key, of in self.given.items()}
        about = {"run": self.run, "fingerprint": self.fingerprint, "head": self.head}
        text = json.dumps({**about, "inputs": [*self.vectors]})
        if path.suffix.lower() == ".npz":
            arrays = {name: _as_array(list(column)) for name, column in given.items()}
            arrays |= {**vectors, _ABOUT: np.array(text)}
            # Not by `numpy.savez`, whose own arguments no column could be named like: "file".
            with (
                replacing(path, suffix=".npz") as temporary,
                zipfile.ZipFile(temporary, "w") as archive,
            ):
                for name, values in arrays.items():
                    with archive.open(f"{name}.npy", "w", force_zip64=True) as entry:
                        np.lib.format.write_array(entry, values, allow_pickle=False)
            return
        columns = [
            column.alias(name)
            if isinstance(column, pl.Series)
            else pl.Series(name, [writable(value) for value in column], strict=False)
            for name, column in given.items()
        ]
        columns += [pl.Series(name, values) for name, values in vectors.items()]
        with replacing(path) as temporary, temporary.open("wb") as file:
            pl.DataFrame(columns).write_parquet(file, metadata={_ABOUT: text})


def check_ending(path: Path) -> None:
    """Raises a DataError if the name has no known ending; to be called before any work is done."""
    if path.suffix.lower() not in ENDINGS:
        raise DataError(f"{escape(str(path))}: expected a name that ends in .npz or .parquet")


def read_index(path: Path | str) -> VectorIndex:
    """Reads a file of `VectorIndex.write`.

    Raises:
        DataError: there is no such file, or it is damaged or was written by something else.
    """
    path = Path(path)
    check_ending(path)
    shown = escape(str(path))
    if not path.is_file():
        raise DataError(f"{shown}: there is no such index; `mmzoo embed` writes one")
    try:
        given: dict[str, Sequence[Any] | pl.Series]
        if path.suffix.lower() == ".npz":
            # Opened here, as numpy does not close damaged files.
            with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
            about = json.loads(str(arrays.pop(_ABOUT)))
            names = {f"{name}{_SUFFIX}": name for name in about["inputs"]}
            vectors = {name: arrays.pop(column) for column, name in names.items()}
            given = {name: values.tolist() for name, values in arrays.items()}
        else:
            about = json.loads(pl.read_parquet_metadata(path)[_ABOUT])
            table = pl.read_parquet(path)
            names = {f"{name}{_SUFFIX}": name for name in about["inputs"]}
            vectors = {name: table[column].to_numpy() for column, name in names.items()}
            given = {name: table[name] for name in table.columns if name not in names}
        if not vectors or any(one.ndim != 2 or one.dtype != "float32" for one in vectors.values()):
            raise ValueError("its vectors have another type")
        if len({len(one) for one in (*vectors.values(), *given.values())}) != 1:
            raise ValueError("its columns differ in length")
        return VectorIndex(
            vectors, given, str(about["run"]), str(about["fingerprint"]), str(about["head"])
        )
    except Exception as error:  # Damaged archives raise almost any exception.
        raise DataError(
            f"{shown}: not an index that `mmzoo embed` wrote, or damaged "
            f"({type(error).__name__}: {error}). Write it again with `mmzoo embed`"
        ) from error


def _as_array(values: list[Any]) -> np.ndarray:
    """A column as an array of numbers, truth values or texts; None is NaN or ""."""
    known = [value for value in values if value is not None]
    kinds = {type(value) for value in known}
    if kinds == {bool} and len(known) == len(values):
        return np.array(values, bool)
    if kinds and kinds <= {int, float}:
        if len(known) == len(values) and kinds == {int} and max(map(abs, known)) < 2**63:
            return np.array(values, np.int64)
        return np.array([np.nan if value is None else value for value in values], np.float64)
    return np.array([_as_text(value) for value in values], np.str_)


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    plain = json_value(value)
    return plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False)
