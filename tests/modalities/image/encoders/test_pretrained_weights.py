"""Weights of pretrained networks: lookup, download, verification and loading."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import h5py
import numpy as np
import pytest
from weights_files import with_other_values, write_old_layout

from mmzoo.errors import DataError
from mmzoo.lazy import keras
from mmzoo.modalities.image.encoders import EfficientNet, MobileNet, SqueezeNet
from mmzoo.modalities.image.encoders.imagenet_weights import (
    OfficialWeights,
    get_weights_file,
    load_weights_file,
)

CONTENT = np.random.RandomState(0).bytes(100_000)
MD5 = hashlib.md5(CONTENT).hexdigest()
NAME = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_0.35_96_no_top.h5"


@pytest.fixture(autouse=True)
def places(tmp_path, monkeypatch) -> dict[str, Path]:
    """The folders in which weights are looked up, all empty; downloads are disabled."""
    monkeypatch.setenv("MMZOO_OFFLINE", "1")
    monkeypatch.setenv("MMZOO_DATA_DIR", str(tmp_path / "given"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("MMZOO_CACHE_DIR", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    folders = {
        "given": tmp_path / "given" / "weights",
        "cache": tmp_path / "cache" / "mmzoo" / "weights",
        "keras": tmp_path / "keras" / "models",
    }
    for folder in folders.values():
        folder.mkdir(parents=True)
    return folders


def encoder(**fields) -> MobileNet:
    return MobileNet(type="mobilenet_v2", alpha=0.35, **fields)


def built(spec) -> keras.Model:
    image = keras.Input((96, 96, 3), dtype="uint8", name="image")
    features = spec.build(image)
    return keras.Model(image, [features.vector, features.tokens], name="image_encoder")


@pytest.fixture(scope="module")
def built_once() -> keras.Model:
    return built(encoder())


@pytest.fixture
def model(built_once) -> keras.Model:
    """The encoder of `encoder()` with all weights 0."""
    for weight in built_once.weights:
        weight.assign(np.zeros(weight.shape))
    return built_once


@pytest.fixture(scope="module")
def theirs() -> keras.Model:
    """MobileNetV2 of keras.applications with distinct weights."""
    return with_other_values(keras_network(include_top=False))


def keras_network(**fields) -> keras.Model:
    return keras.applications.MobileNetV2(
        **{"alpha": 0.35, "weights": None, "input_shape": (96, 96, 3), **fields}
    )


def assert_equal_weights(ours, theirs) -> None:
    given = [weight.numpy() for layer in theirs.layers for weight in layer.weights]
    loaded = [weight.numpy() for layer in ours.layers for weight in layer.weights]
    assert len(loaded) == 260
    for one, other in zip(loaded, given, strict=False):
        np.testing.assert_array_equal(one, other)


def error_message(spec, model=None) -> str:
    """Message of the error for rejected weights."""
    with pytest.raises(DataError) as caught:
        spec.load_pretrained(model or built(spec))
    return str(caught.value)


# Files given by the user.


@pytest.mark.parametrize("group", ["/", "/model_weights"])
def test_reads_the_legacy_layout(theirs, model, tmp_path, group):
    path = write_old_layout(theirs, tmp_path / "x.h5", group)
    encoder(weights=str(path)).load_pretrained(model)
    assert_equal_weights(model, theirs)


def test_reads_the_keras_3_layout(theirs, model, tmp_path):
    path = tmp_path / "x.weights.h5"
    theirs.save_weights(path)
    encoder(weights=str(path)).load_pretrained(model)
    assert_equal_weights(model, theirs)


@pytest.mark.parametrize("name", ["x.h5", "x.weights.h5"])
def test_classifier_weights_are_ignored(model, tmp_path, name):
    complete = with_other_values(keras_network(include_top=True, classes=7))
    path = tmp_path / name
    if name == "x.h5":
        write_old_layout(complete, path)
    else:
        complete.save_weights(path)
    encoder(weights=str(path)).load_pretrained(model)
    assert_equal_weights(model, complete)


def test_reads_files_saved_by_mmzoo(theirs, model, tmp_path):
    from mmzoo.weights import save_weights

    path = tmp_path / "best.weights.h5"
    write_old_layout(theirs, tmp_path / "x.h5")
    encoder(weights=str(tmp_path / "x.h5")).load_pretrained(model)
    save_weights(model, path)
    for weight in model.weights:
        weight.assign(np.zeros(weight.shape))
    encoder(weights=str(path)).load_pretrained(model)
    assert_equal_weights(model, theirs)


def test_path_is_relative_to_the_working_directory(theirs, model, tmp_path, monkeypatch):
    write_old_layout(theirs, tmp_path / "x.h5")
    monkeypatch.chdir(tmp_path)
    encoder(weights="x.h5").load_pretrained(model)
    assert_equal_weights(model, theirs)
    assert error_message(encoder(weights="weights/x.h5"), model) == (
        f"weights: weights/x.h5: there is no such file; relative paths start at {tmp_path}"
    )


def test_weights_none_loads_nothing(model):
    before = model.get_weights()
    encoder(weights="none").load_pretrained(model)
    for was, now in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(was, now)


@pytest.mark.slow
def test_weights_of_another_width_are_an_error(theirs, tmp_path):
    path = write_old_layout(theirs, tmp_path / "x.h5")
    assert error_message(encoder(weights=str(path)).replace(alpha=0.5)) == (
        f"{path}: not weights of mobilenet_v2: layer 11, block_1_project, is [1, 1, 48, 8], "
        "expected [1, 1, 48, 16] as block_1_project has; layer 12, block_1_project_BN, is [8], "
        "[8], [8], [8], expected [16], [16], [16], [16] as block_1_project_BN has; layer 13, "
        "block_2_expand, is [1, 1, 8, 48], expected [1, 1, 16, 96] as block_2_expand has; and 73 "
        "more"
    )
    theirs.save_weights(tmp_path / "x.weights.h5")
    message = error_message(encoder(weights=str(tmp_path / "x.weights.h5")).replace(alpha=0.5))
    assert message.startswith(f"{tmp_path}/x.weights.h5: weights of a different model: /layers/")


def test_weights_of_a_smaller_network_are_an_error(model, tmp_path):
    image = keras.Input((96, 96, 3))
    small = keras.Model(image, keras.layers.Conv2D(16, 3, use_bias=False)(image))
    path = write_old_layout(small, tmp_path / "x.h5")
    assert error_message(encoder(weights=str(path)), model) == (
        f"{path}: not weights of mobilenet_v2: it has 1 layers with weights, expected 104 or more"
    )


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
def test_truncated_file_is_an_error(model, theirs, tmp_path, share):
    path = write_old_layout(theirs, tmp_path / "x.h5")
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    message = error_message(encoder(weights=str(path)), model)
    assert message.startswith(f"{path}: not a weights file, or a damaged one (")


def test_damaged_bytes_are_an_error_or_change_a_number(tmp_path):
    """In a file of the legacy layout, whose attributes are read before its arrays."""
    image = keras.Input((4,), name="image")
    small = keras.Model(image, keras.layers.Dense(3, name="dense")(image))
    path = write_old_layout(small, tmp_path / "x.h5")
    content, random = path.read_bytes(), np.random.RandomState(0)
    refused, began = 0, time.process_time()
    for place in random.randint(0, len(content), 200):
        damaged = bytearray(content)
        damaged[place] ^= random.randint(1, 256)
        path.write_bytes(bytes(damaged))
        try:
            load_weights_file(path, small, "small")
        except DataError:
            refused += 1
    assert 0 < refused < 200
    assert time.process_time() - began < 60


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_values_that_are_not_finite_are_an_error(tmp_path, bad):
    image = keras.Input((4,), name="image")
    small = keras.Model(image, keras.layers.Dense(3, name="dense")(image))
    small.layers[1].bias.assign([0.0, bad, 1.0])
    path = write_old_layout(small, tmp_path / "x.h5")
    with pytest.raises(DataError) as caught:
        load_weights_file(path, small, "small")
    assert str(caught.value).startswith(f"{path}: damaged: /dense/")
    assert str(caught.value).endswith(" has values that are not finite numbers")


KERNEL = "Conv1/Conv1/0:0"


def external_link(file, path):
    file[KERNEL] = h5py.ExternalLink("secret.h5", "/kernel")


def external_values(file, path):
    (path.parent / "secret.bin").write_bytes(bytes(3 * 3 * 3 * 16 * 4))
    file.create_dataset(
        KERNEL, (3, 3, 3, 16), "f4", external=[(str(path.parent / "secret.bin"), 0, 1728)]
    )


def chunks(file, path):
    file.create_dataset(
        KERNEL,
        (3, 3, 3, 16),
        "f4",
        chunks=(512, 512, 16, 64),
        maxshape=(None,) * 4,
        compression="gzip",
    )


def terabytes(file, path):
    file.create_dataset(KERNEL, (2**20, 2**20), "f4")


def text(file, path):
    file.create_dataset(KERNEL, (3, 3, 3, 16), h5py.string_dtype())


@pytest.mark.parametrize(
    ("plant", "reason"),
    [
        (external_link, f"refused, /{KERNEL} links to somewhere else"),
        (external_values, f"refused, /{KERNEL} stores its values in another file"),
        (chunks, f"refused, /{KERNEL} stores its values in chunks"),
        (
            terabytes,
            "not weights of mobilenet_v2: layer 1, Conv1, is [1048576, 1048576], expected "
            "[3, 3, 3, 16] as Conv1 has",
        ),
        (
            text,
            "not weights of mobilenet_v2: layer 1, Conv1, is [3, 3, 3, 16] of another type, "
            "expected [3, 3, 3, 16] as Conv1 has",
        ),
    ],
)
def test_harmful_files_are_rejected_unread(theirs, model, tmp_path, plant, reason):
    path = write_old_layout(theirs, tmp_path / "x.h5")
    with h5py.File(path, "r+") as file:
        del file[KERNEL]
        plant(file, path)
    before, began = model.get_weights(), time.process_time()
    assert error_message(encoder(weights=str(path)), model) == f"{path}: {reason}"
    assert time.process_time() - began < 10
    for was, now in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(was, now)


def test_huge_lists_of_names_are_rejected(model, theirs, tmp_path):
    path = write_old_layout(theirs, tmp_path / "x.h5")
    with h5py.File(path, "r+") as file:
        del file.attrs["layer_names"]
        file.attrs["layer_names0"] = np.zeros(20_000, "S1")
    assert "layer_names0 has more names than a network can have layers" in error_message(
        encoder(weights=str(path)), model
    )


def test_names_may_be_split_over_attributes(theirs, model, tmp_path):
    path = write_old_layout(theirs, tmp_path / "x.h5")
    with h5py.File(path, "r+") as file:
        names = file.attrs["layer_names"]
        del file.attrs["layer_names"]
        file.attrs["layer_names0"], file.attrs["layer_names1"] = names[:50], names[50:]
    encoder(weights=str(path)).load_pretrained(model)
    assert_equal_weights(model, theirs)


@pytest.mark.slow
@pytest.mark.parametrize("layout", ["old", "new"])
def test_efficientnet_resets_pixel_statistics(tmp_path, layout):
    """Keras would turn them into constants, which a resume does not restore."""
    spec = EfficientNet(type="efficientnet_b0", weights=str(tmp_path / "x.weights.h5"))
    network = keras.applications.EfficientNetB0(
        include_top=False, weights=None, input_shape=(96, 96, 3)
    )
    statistics = next(
        layer for layer in network.layers if isinstance(layer, keras.layers.Normalization)
    )
    statistics.weights[0].assign([0.485, 0.456, 0.406])
    save = network.save_weights if layout == "new" else lambda to: write_old_layout(network, to)
    save(tmp_path / "x.weights.h5")
    model = built(spec)
    spec.load_pretrained(model)
    mean, variance, count = model.get_layer("normalization_1").get_weights()
    assert (mean.tolist(), variance.tolist(), int(count)) == ([0.0] * 3, [1.0] * 3, 0)

    statistics.weights[0].assign([0.125, 0.25, 0.5])
    save(tmp_path / "x.weights.h5")
    assert error_message(spec, model) == (
        "weights: this file of efficientnet_b0 was trained on pixels with a mean of [0.125, 0.25, "
        "0.5], expected that of ImageNet, [0.485, 0.456, 0.406]"
    )


# Official files.


@pytest.mark.parametrize("place", ["given", "cache", "keras"])
def test_official_file_is_found_in_every_cache(place, places, theirs, model, messages):
    write_old_layout(theirs, places[place] / NAME)
    encoder().load_pretrained(model)
    assert_equal_weights(model, theirs)
    assert messages == []


def test_file_with_the_wrong_checksum_is_skipped(places, messages):
    official = OfficialWeights("x.h5", "folder/x.h5", MD5)
    (places["given"] / "x.h5").write_bytes(b"other")
    (places["keras"] / "x.h5").write_bytes(CONTENT)
    assert get_weights_file(official, "vgg16") == places["keras"] / "x.h5"
    found = hashlib.md5(b"other").hexdigest()
    assert messages == [f"{places['given']}/x.h5 is skipped: its md5 is {found}, expected {MD5}"]


def test_failed_download_suggests_fixes(places):
    official = SqueezeNet().backbone.weights
    assert error_message(SqueezeNet()) == (
        f"cannot get the ImageNet weights of squeezenet: {official.name} is not in "
        f"{places['given']} nor in {places['cache']} nor in {places['keras']}, and all "
        "downloads failed:\n"
        "  MMZOO_OFFLINE is set, so nothing is downloaded\n"
        "To fix this, do one of the following:\n"
        f"  download {official.url} to {places['given']}\n"
        "  set the encoder's weights to the path of a weights file: `weights: FILE`\n"
        "  start from random weights: `weights: none` and `trainable: true`"
    )


class Store(ThreadingHTTPServer):
    """Local server in place of the store of keras.applications."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.files: dict[str, bytes] = {}
        self.sends = 1.0
        """The share of a file that comes before the connection breaks."""
        self.asked: list[str] = []


class Answer(BaseHTTPRequestHandler):
    server: Store

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        content = self.server.files.get(self.path)
        if content is None:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: int(self.server.sends * len(content))])

    def log_message(self, *_: object) -> None:
        """Silences the server's log."""


@pytest.fixture
def store(monkeypatch) -> Iterator[Store]:
    monkeypatch.delenv("MMZOO_OFFLINE")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(name, "*")
    server = Store()
    address = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setattr("mmzoo.modalities.image.encoders.imagenet_weights.KERAS_STORE", address)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_weights_are_downloaded_once(store, places, theirs, model, tmp_path, messages):
    address = f"/tensorflow/keras-applications/mobilenet_v2/{NAME}"
    store.files[address] = write_old_layout(theirs, tmp_path / "x.h5").read_bytes()
    for _ in range(2):
        encoder().load_pretrained(model)
        assert_equal_weights(model, theirs)
    assert store.asked == [address]
    assert messages == [f"downloading {NAME} from 127.0.0.1:{store.server_port}"]
    assert [path.name for path in places["given"].iterdir()] == [NAME]


def test_verified_download_is_cached(store, places):
    store.files["/folder/x.h5"] = CONTENT
    path = get_weights_file(OfficialWeights("kept.h5", "folder/x.h5", MD5), "vgg16")
    assert path == places["given"] / "kept.h5"
    assert path.read_bytes() == CONTENT


@pytest.mark.parametrize("digest", [MD5, hashlib.sha256(CONTENT).hexdigest(), None])
def test_truncated_download_is_not_cached(store, places, digest):
    store.files["/folder/x.h5"], store.sends = CONTENT, 0.5
    with pytest.raises(DataError, match="breaks off half-way"):
        get_weights_file(OfficialWeights("x.h5", "folder/x.h5", digest), "vgg16")
    assert not (places["given"] / "x.h5").exists()


def test_download_with_the_wrong_checksum_is_not_cached(store, places):
    store.files["/folder/x.h5"] = CONTENT[::-1]
    with pytest.raises(DataError, match=f"another file: its md5 is .*, expected {MD5}"):
        get_weights_file(OfficialWeights("x.h5", "folder/x.h5", MD5), "vgg16")
    assert list(places["given"].glob("*")) == []


def test_missing_remote_file_is_reported(store, places):
    with pytest.raises(DataError) as caught:
        get_weights_file(OfficialWeights("x.h5", "folder/x.h5", MD5), "vgg16")
    assert "/folder/x.h5: answers 404 Not Found\n" in str(caught.value)
