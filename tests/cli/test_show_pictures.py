"""`mmzoo show RUN --cam | --filters | --maps` and `mmzoo data view`: what a model sees."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def photo(tmp_path):
    """A picture file of another size than any model takes."""
    pixels = np.random.RandomState(0).randint(0, 256, (20, 30, 3)).astype("uint8")
    Image.fromarray(pixels).save(tmp_path / "photo.jpg")
    return "photo.jpg"


def png(path):
    with Image.open(path) as picture:
        assert picture.format == "PNG"
        return picture.size


def test_a_class_activation_map_is_drawn_into_the_run(mmzoo, own_run, photo):
    done = mmzoo("show", own_run.directory, "--cam", photo)
    assert (done.code, done.err) == (0, "")
    lines = done.out.splitlines()
    assert lines[0] == "photo.jpg"
    assert lines[1].startswith("digit: ")
    assert lines[2].startswith("What speaks for ")
    assert lines[2].endswith(" (gradients of its logit, on a map of 2 x 2):")
    path = own_run.directory / "cam/photo.png"
    assert lines[-1] == f"The picture: {path}"
    assert min(png(path)) > 400


@pytest.mark.parametrize("option", ["--cam", "--maps"])
def test_files_of_one_name_have_a_picture_each(mmzoo, own_run, tmp_path, option):
    pictures = []
    for number, ending in enumerate(("png", "png", "jpg")):
        (tmp_path / str(number)).mkdir()
        path = tmp_path / str(number) / f"photo.{ending}"
        Image.new("L", (20, 20), 80 * number).save(path)
        pictures.append(
            mmzoo("show", own_run.directory, option, path, "--json").document["picture"]
        )
    folder = own_run.directory / option.removeprefix("--")
    names = ("photo.png", "photo_2.png", "photo_3.png")
    assert pictures == [str(folder / name) for name in names]
    assert sorted(path.name for path in folder.iterdir()) == sorted(names)


def test_its_figures_as_json(mmzoo, trained_run, photo):
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


@pytest.mark.parametrize("head", ["which", "is", "many"])
def test_each_kind_of_head_is_explained(mmzoo, run_of_all_heads, photo, head):
    done = mmzoo(
        *("show", run_of_all_heads.directory, "--cam", photo, "--head", head),
        *("--output", "cam.png"),
    )
    assert (done.code, done.err) == (0, "")
    assert "\x1b" not in done.out
    png("cam.png")


def test_filters_are_drawn_into_the_run(mmzoo, own_run):
    done = mmzoo("show", own_run.directory, "--filters")
    path = own_run.directory / "filters/image.png"
    assert done.out == f"stage1_conv1: 8 filters of 3 x 3 x 1\n\nThe picture: {path}\n"
    png(path)
    assert mmzoo("show", own_run.directory, "--filters", "--json").document == {
        "picture": str(path),
        "input": "image",
        "layer": "stage1_conv1",
        "filters": 8,
        "size": [3, 3, 1],
    }


def test_maps_are_drawn_into_the_run(mmzoo, own_run, photo):
    done = mmzoo("show", own_run.directory, "--maps", photo)
    path = own_run.directory / "maps/photo.png"
    assert done.out.splitlines() == [
        "photo.jpg",
        "stage1_conv1_relu: 8 maps of 8 x 8",
        "stage2_conv1_relu: 16 maps of 4 x 4",
        "stage2_pool: 16 maps of 2 x 2",
        "",
        f"The picture: {path}",
    ]
    png(path)
    stages = mmzoo("show", own_run.directory, "--maps", photo, "--json").document["stages"]
    assert stages[0] == {"layer": "stage1_conv1_relu", "maps": 8, "size": [8, 8]}


def test_the_main_files_of_a_run_stay_as_they_are(mmzoo, own_run, photo):
    before = {path: path.read_bytes() for path in own_run.directory.rglob("*") if path.is_file()}
    mmzoo("show", own_run.directory, "--cam", photo)
    assert {path: path.read_bytes() for path in before} == before


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--cam", "none.png"], "none.png: No such file or directory"),
        (["--maps", "."], ".: expected a picture file, found a folder"),
        (
            ["--cam", "photo.jpg", "--head", "dgit"],
            "RUN: has no head 'dgit'; did you mean 'digit'? There are: digit",
        ),
        (
            ["--cam", "photo.jpg", "--class", "ten"],
            "heads.digit: has no class 'ten'. There are 10, or by number 0 to 9: "
            "0, 1, 2, 3, 4, 5, 6, 7, 8, 9",
        ),
        (
            ["--filters", "--input", "imge"],
            "RUN: has no input 'imge'; did you mean 'image'? There are: image",
        ),
        (["--filters", "--output", "x.jpg"], "x.jpg: expected a name that ends in .png"),
    ],
)
def test_what_cannot_be_drawn_is_said(mmzoo, trained_run, photo, options, said):
    done = mmzoo("show", trained_run.directory, *options)
    assert (done.code, done.out) == (1, "")
    assert done.err == f"Error: {said.replace('RUN', str(trained_run.directory))}\n"


def test_one_of_several_heads_has_to_be_named(mmzoo, run_of_all_heads, photo):
    done = mmzoo("show", run_of_all_heads.directory, "--cam", photo)
    assert done.err == (
        f"Error: {run_of_all_heads.directory}: has 4 heads: which, is, many, much. "
        "Say which one to explain by --head NAME.\n"
    )


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--filters", "--cam", "x"], "--cam and --filters are pictures of their own: give one."),
        (["--head", "digit"], "--head goes with --cam."),
        (["--filters", "--class", "3"], "--class goes with --cam."),
        (["--filters", "--layers"], "--filters draws a picture, which --layers adds nothing to."),
        (["--output", "x.png"], "--output goes with --cam, --filters or --maps."),
    ],
)
def test_options_that_do_not_go_together(mmzoo, options, said):
    done = mmzoo("show", "runs/x", *options)
    assert (done.code, done.out) == (2, "")
    assert done.err.endswith(f"\nError: {said}\n")


def test_only_a_run_has_learnt_anything(mmzoo):
    assert mmzoo("show", "lenet", "--filters").err == (
        "Error: lenet: there is no such run. `mmzoo list runs` shows those there are.\n"
    )
