"""The report: one self-contained page that escapes all text."""

from __future__ import annotations

import base64
import io
import re
from dataclasses import replace
from datetime import datetime
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from mmzoo import metrics
from mmzoo.evaluation.head_report import HeadReport
from mmzoo.evaluation.html_page import Plot
from mmzoo.evaluation.mistakes import Mistakes
from mmzoo.evaluation.report import Report, report_page, write_report

HOSTILE = "<script>alert('1')</script> & \"quoted\" \x00\x1b[31m\ud800"
HOSTILE_SHOWN = "<script>alert('1')</script> & \"quoted\" \ufffd\ufffd[31m\ufffd"


class Page(HTMLParser):
    """Reads a page: its tags with their attributes, its visible text, and which tags are open."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.open, self.words = [], [], []
        self.feed(html)
        self.close()
        self.text = re.sub(r"\s+", " ", "".join(self.words))

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.words.append(data)

    def attributes(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


def page_of(report):
    page = Page(report_page(report))
    assert page.open == []
    return page


@pytest.fixture
def png(tmp_path):
    path = tmp_path / "picture.png"
    Image.fromarray(np.zeros((100, 200, 3), np.uint8)).save(path)
    return path


def digit_head(**changes):
    true = np.repeat([0, 1, 2], [10, 30, 60])
    probabilities = np.eye(3)[true] * 0.7 + 0.1
    probabilities[:4] = [0.1, 0.1, 0.8]
    confusion = metrics.confusion_matrix(true, probabilities.argmax(axis=1), 3)
    head = HeadReport(
        name="digit",
        kind="classification",
        metrics=metrics.classification_metrics(true, probabilities),
        class_names=("zero", "one", "two"),
        confusion=confusion,
    )
    return replace(head, **changes)


def report_of(*heads, **changes):
    report = Report(
        title="mnist_cnn",
        run="runs/mnist_cnn/003",
        checkpoint="best",
        split="test",
        examples=10_000,
        data="mnist",
        requested_data="mnist",
        fingerprint="sha256:3f9a",
        date=datetime(2026, 5, 1, 14, 7),
        version="0.1.0",
        loss=0.03125,
        heads=heads or (digit_head(),),
        config="name: mnist_cnn\n",
    )
    return replace(report, **changes)


def test_report_names_what_was_evaluated():
    text = page_of(report_of()).text
    assert "Evaluated on the test split of mnist: 10,000 examples." in text
    for fact in ("runs/mnist_cnn/003", "best", "sha256:3f9a", "0.03125", "2026-05-01 14:07"):
        assert fact in text
    assert "mmzoo 0.1.0" in text
    assert "name: mnist_cnn" in text


def test_report_mentions_a_non_finite_loss():
    assert "lossnot finite" in page_of(report_of(loss=None)).text


def test_report_shows_accuracy_with_interval_and_baseline():
    text = page_of(report_of()).text
    assert "96.0 %accuracy (95 % CI 90.2 to 98.4);majority-class baseline ('two'): 60.0 %" in text


def test_report_has_a_row_for_each_class_and_names_confusions():
    page = page_of(report_of())
    assert "zero1.0000.6000.75010 one1.0001.0001.00030 two0.9381.0000.96860" in page.text
    assert "'zero' predicted as 'two': 4 of 10 (40.0 %)" in page.text


def test_report_without_mistakes():
    head = digit_head(confusion=np.diag([10, 30, 60]))
    assert "Most confused" in page_of(report_of(head)).text
    assert "No mistakes." in page_of(report_of(head)).text


def test_report_of_labels_has_their_table_but_no_confusions():
    true = np.array([[1, 0], [1, 1]])
    head = HeadReport(
        name="tags",
        kind="multilabel",
        metrics=metrics.multilabel_metrics(true, true * 0.9),
        class_names=("dog", "cat"),
        per_label=metrics.per_label(true, true * 0.9),
    )
    text = page_of(report_of(head)).text
    assert "labelprecisionrecallF1examples dog1.0001.0001.0002 cat1.0001.0001.0001" in text
    assert "Most confused" not in text


def test_report_of_a_regression():
    head = HeadReport(
        "price", "regression", metrics.regression_metrics(np.array([1.0, 3.0]), np.array([2.0, 3]))
    )
    text = page_of(report_of(head)).text
    assert "0.5mean absolute error (95 % CI 0 to 1.48);mean baseline: 1" in text
    assert "R²0.5" in text


def test_mistakes_with_text_are_shown_as_text():
    mistakes = Mistakes(
        captions=["true good, predicted bad (98 %)", "true bad, predicted good (71 %)"],
        rows=["row 17", "row 3"],
        texts={"review": [HOSTILE, "no good"]},
    )
    page = page_of(report_of(digit_head(mistakes=mistakes)))
    assert f"true good, predicted bad (98 %) row 17{HOSTILE_SHOWN}" in page.text
    assert "true bad, predicted good (71 %) row 3no good" in page.text
    assert not page.attributes("script")
    assert "review" not in page.text  # There is no other input to tell it from.
    assert "Worst mistakes" not in page_of(report_of()).text


def test_image_row_and_text_of_a_mistake_are_together():
    large = np.random.RandomState(0).randint(0, 255, (400, 200, 3)).astype(np.uint8)
    mistakes = Mistakes(
        captions=["true mug, predicted bowl (98 %)", "true bowl, predicted mug (71 %)"],
        rows=["row 17", "row 3"],
        images=[np.zeros((8, 8, 1), np.uint8), large],
        texts={"description": ["small and blue", "plain and red"]},
    )
    page = page_of(report_of(digit_head(mistakes=mistakes)))
    assert "true mug, predicted bowl (98 %) row 17small and blue" in page.text
    images = [one for one in page.attributes("img") if one["alt"] == ""]
    sizes = []
    for image in images:
        head, _, content = image["src"].partition("base64,")
        assert head == "data:image/png;"
        with Image.open(io.BytesIO(base64.b64decode(content))) as opened:
            sizes.append(opened.size)
    assert sizes == [(8, 8), (90, 180)]


def test_errors_of_a_regression_by_size_and_the_largest():
    true = np.array([100_000.0, 150_000, 200_000, 250_000, 300_000])
    errors = metrics.errors_by_size(true, true - 58_300, bins=2)
    mistakes = Mistakes(captions=["true 300,000, predicted 241,700 (-58,300)"], rows=["row 4"])
    head = HeadReport(
        "price",
        "regression",
        metrics.regression_metrics(true, true - 58_300),
        errors=errors,
        mistakes=mistakes,
    )
    text = page_of(report_of(head)).text
    assert "58,300mean absolute error" in text
    assert "100,000 to 200,000358,300-58,300 250,000 to 300,000258,300-58,300" in text
    assert "Largest errors true 300,000, predicted 241,700 (-58,300) row 4" in text


def test_the_positive_class_is_named():
    found = metrics.binary_metrics(np.array([1, 0]), np.array([0.8, 0.1]))
    text = page_of(report_of(HeadReport("sold", "binary", found, positive="yes <b>"))).text
    assert "positive class'yes <b>'" in text


def test_bars_of_few_examples_are_fainter():
    rows = page_of(report_of(digit_head(confusion=np.diag([9, 10, 60])))).attributes("tr")
    assert [row.get("class") for row in rows] == [None, "few", None, None]


def test_texts_of_several_inputs_are_named_and_long_ones_folded():
    long = " ".join(f"word{number}" for number in range(100))
    unbroken = 1_000 * "好"
    mistakes = Mistakes(
        captions=["true 1, predicted 2 (50 %)", "true 2, predicted 1 (50 %)"],
        rows=["row 1", "row 2"],
        texts={"title": ["a", "b"], "<body>": [long, unbroken]},
    )
    page = page_of(report_of(digit_head(mistakes=mistakes)))
    assert "title: a<body>: word0 word1" in page.text
    assert " ... word" in page.text
    assert page.text.count("好") == 1_000
    shown = page.text[page.text.index("word0") : page.text.index("word99") + 6]
    assert shown.replace(" ...", "") == long
    assert len(page.attributes("summary")) == 3  # Of both, and of the config.


def test_long_tables_are_folded():
    names = tuple(f"class {number}" for number in range(31))
    head = digit_head(class_names=names, confusion=np.eye(31, dtype=np.int64))
    assert "Classes (31)" in page_of(report_of(head)).text
    assert "Classes (" not in page_of(report_of()).text


def test_the_fallback_data_set_is_reported_prominently():
    page = page_of(report_of(data="digits"))
    assert (
        "mnist was not available, used digits instead. The metrics below are not of mnist."
        in page.text
    )
    assert {"class": "note alarm", "role": "alert"} in page.attributes("p")
    assert "was not available" not in page_of(report_of()).text


def test_warnings_are_shown_with_their_head():
    useless = digit_head(name="useless", confusion=np.array([[0, 10, 0], [0, 30, 0], [0, 60, 0]]))
    page = page_of(report_of(digit_head(), useless, warnings=("3 rows were skipped.",)))
    assert "3 rows were skipped." in page.text
    assert "useless: 100.0 % of the predictions are 'one', but only 30.0 % of" in page.text
    assert "useless: Never predicted, though there are examples: 'zero', 'two'." in page.text
    assert "digit: " not in page.text


def test_images_are_embedded_in_the_page(png):
    head = digit_head(plots=(Plot("Confusion", png),))
    page = page_of(report_of(head, history=png))
    confusion, training = page.attributes("img")
    assert confusion["alt"] == "Confusion"
    assert training["alt"] == "Learning curves"
    assert (confusion["width"], confusion["height"]) == ("140", "70")
    kind, data = confusion["src"].split(",")
    assert kind == "data:image/png;base64"
    assert base64.b64decode(data) == png.read_bytes()


def test_page_is_self_contained(png):
    html = report_page(report_of(history=png))
    page = Page(html)
    assert not {"script", "link", "iframe", "object"} & {tag for tag, _ in page.tags}
    sources = [a[key] for _, a in page.tags for key in ("src", "href", "action") if key in a]
    assert len(sources) == 1
    assert all(source.startswith("data:image/png;base64,") for source in sources)
    assert not re.search(r"https?://|url\(|@import", html)
    assert "default-src 'none'" in html


def test_every_text_is_escaped_and_control_characters_are_replaced(tmp_path, png):
    head = digit_head(
        name=HOSTILE,
        kind=HOSTILE,
        class_names=(HOSTILE,) * 3,
        plots=(Plot(HOSTILE, png),),
        metrics={**digit_head().metrics, HOSTILE: 1.0},
    )
    texts = ("title", "run", "checkpoint", "split", "data", "fingerprint", "version", "config")
    hostile = dict.fromkeys(texts, HOSTILE)
    report = report_of(head, warnings=(HOSTILE,), **hostile)

    path = tmp_path / "report.html"
    write_report(path, report)

    page = Page(path.read_text(encoding="utf-8"))
    assert page.open == []
    assert not page.attributes("script")
    # The title twice, and what follows from it: each text that was given is there to be read.
    assert page.text.count(HOSTILE_SHOWN) >= len(texts) + 4
    assert page.attributes("img")[0]["alt"] == HOSTILE_SHOWN


def test_report_is_written_atomically(tmp_path):
    path = tmp_path / "report.html"
    path.write_text("old", encoding="utf-8")
    missing = digit_head(plots=(Plot("Confusion", tmp_path / "missing.png"),))
    with pytest.raises(FileNotFoundError):
        write_report(path, report_of(missing))
    assert path.read_text(encoding="utf-8") == "old"
    write_report(path, report_of())
    assert path.read_text(encoding="utf-8") == report_page(report_of())
    assert [entry.name for entry in tmp_path.iterdir()] == ["report.html"]


def test_page_supports_phones_dark_mode_and_print():
    html = report_page(report_of())
    assert '<meta name="viewport" content="width=device-width, initial-scale=1">' in html
    assert "@media (prefers-color-scheme: dark)" in html
    assert "@media print" in html
