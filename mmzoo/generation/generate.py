"""`mmzoo generate RUN`: chooses the generator of a run's model and writes its examples.

A generator is an iterator of `GeneratedRows`. Models with `reconstruction` heads generate from
codes: drawn from the prior of a variational code, or computed from examples. A GAN generates from
noise and a class, or from noise and examples of its other inputs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mmzoo.config import Config
from mmzoo.data.frame import OnBadRow
from mmzoo.devices import Kind, memory_errors, prepare_devices
from mmzoo.errors import RunError
from mmzoo.evaluation.code_model import rebuilding_heads
from mmzoo.fusion import HasPrior
from mmzoo.generation.from_codes import from_examples, from_prior
from mmzoo.generation.from_noise import (
    condition_inputs,
    from_classes,
    from_conditions,
    require_conditions,
)
from mmzoo.generation.generated_rows import TABLE, GeneratedRows, write_generated
from mmzoo.generation.given_examples import read_examples
from mmzoo.runs import Run
from mmzoo.spec import did_you_mean
from mmzoo.trained_model import load_trained, open_trained

_SAMPLES = 64
_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True)
class Generated:
    """What was written.

    Attributes:
        folder: has `table.csv`, `grid.png` if there are images, and a folder of images for each
            output of images.
        examples: the number of rows of the table.
    """

    folder: Path
    examples: int

    @property
    def table(self) -> Path:
        return self.folder / TABLE


@memory_errors()
def generate(
    run: Run | Path | str,
    data: Iterable[Path | str] | Path | str = (),
    *,
    split: str | None = None,
    inputs: Sequence[str] = (),
    samples: int | None = None,
    interpolate: int | None = None,
    seed: int | None = None,
    output: Path | str | None = None,
    on_bad_row: OnBadRow = "error",
    checkpoint: str | Path = "best",
    device: Kind = "auto",
) -> Generated:
    """Generates examples with a trained model and writes them to a folder.

    Without `data` and `split`, codes are drawn from the prior, which a variational code has.
    Otherwise the inputs are rebuilt from the examples. A GAN generates images of all classes in
    turn or, if it has other inputs, an image for each example.

    Args:
        run: a run, its directory, `runs/<name>` for the newest run, or a weights file of a run.
        data: a table with columns of the inputs, or files of one input, or folders of them.
        split: instead, "train", "validation" or "test" of the run's own data.
        inputs: the inputs to use; the others count as missing. By default all that are there.
        samples: how many to draw from the prior, by default 64; or from the Gaussian of each
            example, by default none but its mean. For a GAN the number of images, or of those for
            each example, by default 1.
        interpolate: number of steps between the codes of the first two examples.
        seed: of the random numbers, by default `train.seed`.
        output: the folder to create, by default `generated/<next number>` in the run.
        on_bad_row: handling of rows or files that cannot be used: "error" or "skip".
        checkpoint: "best", "last", or a weights file; not allowed if `run` is a weights file.
        device: "auto", "cpu" or "gpu".

    Raises:
        DataError: the examples cannot be read, or lack the inputs.
        RunError: the run cannot generate this, or the folder exists and is not empty.
    """
    paths = [Path(data)] if isinstance(data, Path | str) else [Path(path) for path in data]
    run, checkpoint = open_trained(run, checkpoint)
    folder = _new_folder(run, Path(output) if output is not None else None)
    config = run.config()
    where = str(run.directory)
    is_gan = config.objective.generated_input(config.inputs) is not None
    if is_gan:
        _refuse({"--inputs": inputs, "--interpolate": interpolate}, "`reconstruction` heads")
        require_conditions(config, where, bool(paths or split))
    else:
        _require_generator(config, where, bool(paths or split))
    _require_inputs(config, where, inputs)
    devices = prepare_devices(device, config.train)
    rows: Iterator[GeneratedRows]
    if not paths and split is None:
        _refuse({"--inputs": inputs, "--interpolate": interpolate}, "examples: --from or --split")
        model, _ = load_trained(run, checkpoint, devices.precision)
        if is_gan:
            rows = from_classes(config, model, samples or _SAMPLES, seed)
        else:
            rows = from_prior(run, config, model, samples or _SAMPLES, seed)
    else:
        read = condition_inputs(config) if is_gan and split is None else config
        examples = read_examples(run, read, paths, split, inputs, on_bad_row)
        model, _ = load_trained(run, checkpoint, devices.precision)
        if is_gan:
            rows = from_conditions(run, config, model, examples, samples, seed)
        else:
            rows = from_examples(run, config, model, examples, samples, interpolate, seed)
    return Generated(folder, write_generated(folder, rows))


def _new_folder(run: Run, output: Path | None) -> Path:
    """The folder to write: `output`, or `generated/<next number>` in the run.

    Raises:
        RunError: `output` exists and is not an empty folder.
    """
    if output is None:
        parent = run.generated
        numbers = [int(one.name) for one in parent.glob("*") if _NUMBER.fullmatch(one.name)]
        return parent / f"{max(numbers, default=0) + 1:03d}"
    if output.is_symlink() or output.is_file() or (output.is_dir() and any(output.iterdir())):
        what = "is not empty" if output.is_dir() else "exists already"
        raise RunError(f"{output}: {what}. Name another --output.")
    return output


def _refuse(given: Mapping[str, object], needs: str) -> None:
    for option, value in given.items():
        if value:
            raise RunError(f"{option} needs {needs}")


def _require_generator(config: Config, where: str, from_examples: bool) -> None:
    """Raises a RunError if the model cannot generate anything."""
    if not rebuilding_heads(config):
        heads = ", ".join(f"{name} ({head.type})" for name, head in config.heads.items())
        raise RunError(f"{where}: none of its heads generates anything: {heads}")
    if not from_examples and not isinstance(config.fusion, HasPrior):
        raise RunError(
            f"{where}: its code has no prior to draw from, as its fusion is {config.fusion.type}: "
            "give examples by --from or --split, or train with `fusion: {type: variational}`"
        )


def _require_inputs(config: Config, where: str, inputs: Sequence[str]) -> None:
    """Raises a RunError if the model does not work with these inputs alone."""
    for name in inputs:
        if name not in config.inputs:
            meant = did_you_mean(name, config.inputs) or "."
            raise RunError(
                f"--inputs: no input '{name}'{meant} There are: {', '.join(config.inputs)}"
            )
    for name in config.inputs:
        if inputs and name not in inputs and name not in config.presence:
            raise RunError(
                f"{where}: --inputs cannot leave out {name}, which was never missing in training. "
                "Train with `missing: learned` and a `modality_dropout` at this input."
            )
