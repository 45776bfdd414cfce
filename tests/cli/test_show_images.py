"""`mmzoo show RUN --cam | --filters | --maps`: Grad-CAM, filters and feature maps."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def photo(tmp_path):
    """An image file of a size that no model takes."""
    pixels = np.random.RandomState(0).randint(0, 256, (20, 30, 3)).astype("uint8")
    Image.fromarray(pixels).save(tmp_path / "photo.jpg")
    return "photo.jpg"


def png(path):
    with Image.open(path) as image:
        assert image.format == "PNG"
        return image.size


def test_gradcam_is_written_to_the_run(mmzoo, own_run, photo):
    done = mmzoo("show", own_run.directory, "--cam", photo)
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[0] == "photo.jpg"
    assert lines[1].startswith("digit: ")
    assert lines[2].startswith("Grad-CAM for ")
    assert lines[2].endswith(" (gradients of its logit, 2 x 2 map):")
    path = own_run.directory / "cam/photo.png"
    assert lines[-1] == f"Image: {path}"
    assert min(png(path)) > 400


@pytest.mark.parametrize("option", ["--cam", "--maps"])
@pytest.mark.slow
def test_files_with_equal_names_do_not_overwrite(mmzoo, own_run, tmp_path, option):
    images = []
    for number, ending in enumerate(("png", "png", "jpg")):
        (tmp_path / str(number)).mkdir()
        path = tmp_path / str(number) / f"photo.{ending}"
        Image.new("L", (20, 20), 80 * number).save(path)
        images.append(mmzoo("show", own_run.directory, option, path, "--json").document["picture"])
    folder = own_run.directory / option.removeprefix("--")
    names = ("photo.png", "photo_2.png", "photo_3.png")
    assert images == [str(folder / name) for name in names]
    assert sorted(path.name for path in folder.iterdir()) == sorted(names)


def test_gradcam_as_json(mmzoo, trained_run, photo):
    done = mmzoo(
        *("show", trained_run.directory, "--cam", photo, "--class", "3"),
        *("--output", "three.png", "--json"),
    )
    found = done.document
    assert (found["picture"], found["file"], found["input"]) == ("three.png", photo, "image")
    assert (found["head"], found["class"], found["gradients_of"]) == ("digit", "3", "logit")
    assert 0 <= found["probability"] <= 1
    assert found["map"] == [2, 2]
    assert found["centre"] is None or all(0 <= share <= 1 for share in found["centre"])
    assert len(found["predicted"]) == 3
    png("three.png")
    again = ("show", trained_run.directory, "--cam", photo, "--output", "three.png")
    done = mmzoo(*again)
    assert (done.code, done.out) == (1, "")
    assert "--output three.png: the file exists. Use --force to replace it" in done.err
    assert mmzoo(*again, "--force").code == 0


@pytest.mark.parametrize("head", ["which", "is", "many"])
def test_each_kind_of_head_is_explained(mmzoo, run_of_all_heads, photo, head):
    done = mmzoo(
        *("show", run_of_all_heads.directory, "--cam", photo, "--head", head),
        *("--output", "cam.png"),
    )
    assert (done.code, done.err) == (0, "")
    assert "\x1b" not in done.out
    png("cam.png")


def test_filters_are_written_to_the_run(mmzoo, own_run):
    done = mmzoo("show", own_run.directory, "--filters")
    path = own_run.directory / "filters/image.png"
    assert done.out == f"stage1_conv1: 8 filters of 3 x 3 x 1\n\nImage: {path}\n"
    png(path)
    assert mmzoo("show", own_run.directory, "--filters", "--json").document == {
        "picture": str(path),
        "input": "image",
        "layer": "stage1_conv1",
        "filters": 8,
        "size": [3, 3, 1],
    }


def test_feature_maps_are_written_to_the_run(mmzoo, own_run, photo):
    done = mmzoo("show", own_run.directory, "--maps", photo)
    path = own_run.directory / "maps/photo.png"
    assert done.out.splitlines() == [
        "photo.jpg",
        "stage1_conv1_relu: 8 maps of 8 x 8",
        "stage2_conv1_relu: 16 maps of 4 x 4",
        "stage2_pool: 16 maps of 2 x 2",
        "",
        f"Image: {path}",
    ]
    png(path)
    stages = mmzoo("show", own_run.directory, "--maps", photo, "--json").document["stages"]
    assert stages[0] == {"layer": "stage1_conv1_relu", "maps": 8, "size": [8, 8]}


def test_files_of_a_run_are_not_modified(mmzoo, own_run, photo):
    before = {path: path.read_bytes() for path in own_run.directory.rglob("*") if path.is_file()}
    mmzoo("show", own_run.directory, "--cam", photo)
    assert {path: path.read_bytes() for path in before} == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--cam", "none.png"], "none.png: there is no such file"),
        (["--maps", "."], ".: expected an image file, found a folder"),
        (
            ["--cam", "photo.jpg", "--head", "dgit"],
            "RUN: has no head 'dgit'; did you mean 'digit'? There are: digit",
        ),
        (
            ["--cam", "photo.jpg", "--class", "ten"],
            "heads.digit: has no class 'ten'. There are 10, also by index, 0 to 9: "
            "0, 1, 2, 3, 4, 5, 6, 7, 8, 9",
        ),
        (
            ["--filters", "--input", "imge"],
            "RUN: has no input 'imge'; did you mean 'image'? There are: image",
        ),
        (["--filters", "--output", "x.jpg"], "--output x.jpg: expected a name that ends in .png"),
    ],
)
def test_drawing_errors(mmzoo, trained_run, photo, options, message):
    done = mmzoo("show", trained_run.directory, *options)
    assert (done.code, done.out) == (1, "")
    assert done.err == f"Error: {message.replace('RUN', str(trained_run.directory))}\n"


def test_several_heads_require_a_choice(mmzoo, run_of_all_heads, photo):
    done = mmzoo("show", run_of_all_heads.directory, "--cam", photo)
    assert done.err == (
        f"Error: {run_of_all_heads.directory}: has 4 heads: which, is, many, much. "
        "Choose the one to explain with --head NAME.\n"
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--filters", "--cam", "x"], "--cam and --filters cannot be combined: give one of them."),
        (["--head", "digit"], "--head requires --cam."),
        (["--filters", "--class", "3"], "--class requires --cam."),
        (["--filters", "--layers"], "--layers cannot be combined with --filters."),
        (["--output", "x.png"], "--output requires --cam, --filters or --maps."),
    ],
)
def test_incompatible_options(mmzoo, options, message):
    done = mmzoo("show", "runs/x", *options)
    assert (done.code, done.out) == (2, "")
    assert done.err.endswith(f"\nError: {message}\n")


def test_filters_require_a_run(mmzoo):
    assert mmzoo("show", "lenet", "--filters").err == (
        "Error: lenet: there is no such run. `mmzoo list runs` shows those there are.\n"
    )
