"""Generation from codes: drawn from a prior, or computed from examples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from mmzoo.batches import evaluation_batches
from mmzoo.config import Config
from mmzoo.decoded_files import reraise_with_file_names
from mmzoo.errors import DataError, RunError
from mmzoo.evaluation.code_model import code_model, rebuilding_heads
from mmzoo.evaluation.prior_samples import prior_codes
from mmzoo.generation.generated_rows import GeneratedRows, Values
from mmzoo.generation.given_examples import Examples
from mmzoo.lazy import keras, tf
from mmzoo.modalities.abilities import ReadsImageFiles
from mmzoo.randomness import Randomness
from mmzoo.runs import Run


def from_prior(
    run: Run, config: Config, model: keras.Model, samples: int, seed: int | None
) -> Iterator[GeneratedRows]:
    """Decodes codes that are drawn from the prior."""
    network, show = code_model(model, config), _Display(run, config)
    decode = tf.function(network.decode, autograph=False, reduce_retracing=True)
    size = config.evaluation_batch_size
    chosen = config.train.seed if seed is None else seed
    for first in range(0, samples, size):
        rows = np.arange(first, min(first + size, samples))
        yield GeneratedRows(show(decode(prior_codes(network.width, chosen, rows))), {})


def from_examples(
    run: Run,
    config: Config,
    model: keras.Model,
    examples: Examples,
    samples: int | None,
    interpolate: int | None,
    seed: int | None,
) -> Iterator[GeneratedRows]:
    """Rebuilds examples, once or several times, or what lies between the first two of them."""
    show, data, split = _Display(run, config), examples.data, examples.split
    columns, first = data.splits[split], 0
    if interpolate:
        if data.examples(split) < 2:
            raise DataError("--interpolate needs two examples, and there is one")
        columns = {name: values[:2] for name, values in columns.items()}
    network = code_model(model, config) if samples or interpolate else None
    if network and samples and not network.has_prior:
        raise RunError(
            f"{run.directory}: its code is not random, as its fusion is {config.fusion.type}, so "
            "there is one reconstruction per example: leave --samples out"
        )
    heads = list(rebuilding_heads(config))

    @tf.function(autograph=False, reduce_retracing=True)
    def rebuild(inputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        outputs = model(inputs, training=False)
        return {name: outputs[name] for name in heads}

    with reraise_with_file_names(config, data, split):
        for (inputs,) in evaluation_batches(config, columns, labelled=False):
            count = len(next(iter(inputs.values())))
            labels = {
                name: values[first : first + count] for name, values in examples.labels.items()
            }
            if network is None:
                yield GeneratedRows(show(rebuild(inputs)), labels)
            elif interpolate:
                start, end = network.encode(inputs)[0].numpy()
                shares = np.linspace(0.0, 1.0, interpolate + 1, dtype=np.float32)
                codes = start + shares[:, None] * (end - start)
                step = {"step": list(range(interpolate + 1))}
                yield GeneratedRows(show(network.decode(tf.constant(codes))), step)
            elif samples:
                mean, log_variance = network.encode(inputs)
                rows = np.arange(first, first + count)
                random = _random(config, seed, rows).fold("samples")
                noise = tf.reshape(random.normal(samples * network.width), [count, samples, -1])
                codes = mean[:, None] + tf.exp(0.5 * log_variance)[:, None] * noise
                outputs = network.decode(tf.reshape(codes, [count * samples, network.width]))
                repeated = {
                    name: [one for one in of for _ in range(samples)] for name, of in labels.items()
                }
                yield GeneratedRows(show(outputs), repeated)
            first += count


def _random(config: Config, seed: int | None, rows: np.ndarray) -> Randomness:
    chosen = config.train.seed if seed is None else seed
    return Randomness(chosen, tf.constant(0, tf.int64), tf.constant(rows, tf.int64))


class _Display:
    """Outputs of heads as images and texts, by the column of the input that each rebuilds."""

    def __init__(self, run: Run, config: Config) -> None:
        self._heads, self._files = rebuilding_heads(config), run.preprocessing()
        self._names: dict[str, str] = {}
        for name, head in self._heads.items():
            spec = config.inputs[head.input]
            columns = spec.source_columns()
            # A spectrogram as an image, or a row as text, is not the input again.
            is_input = isinstance(spec, ReadsImageFiles) or spec.role == "text"
            column = columns[0] if is_input else f"{head.input}_shown"
            # Two inputs may read one column.
            self._names[name] = head.input if column in self._names.values() else column

    def __call__(self, outputs: Mapping[str, tf.Tensor]) -> dict[str, Values]:
        return {
            self._names[name]: head.show_rebuilt(
                outputs[name].numpy(), self._files.get(head.input, {})
            )
            for name, head in self._heads.items()
        }
