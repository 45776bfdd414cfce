"""Fitting heads to the training labels, and the labels that they refuse."""

from __future__ import annotations

import numpy as np
import polars
import pytest
from pydantic import ValidationError

from mmzoo.data.label_lists import label_lists
from mmzoo.errors import DataError
from mmzoo.heads import Binary, Classification, Multilabel, Regression
from mmzoo.heads.classes import balanced_weights
from mmzoo.lazy import keras, tf

WHERE = "heads.kind, column 'label' of things"
PICTURES = np.zeros((4, 3, 3, 1), "uint8")


def error_message(head, labels, names=None) -> str:
    with pytest.raises(DataError) as caught:
        head.fit(np.asarray(labels), names, WHERE)
    message = str(caught.value)
    assert message.startswith(f"{WHERE}: ")
    return message.removeprefix(f"{WHERE}: ")


def problem(build) -> str:
    with pytest.raises(ValidationError) as caught:
        build()
    [error] = caught.value.errors()
    return error["msg"]


# Classification.


def test_classes_and_names_are_inferred_from_the_data():
    head = Classification().fit(np.array([0, 2, 1]), ("ant", "bee", "cat"), WHERE)
    assert (head.classes, head.class_names) == (3, ("ant", "bee", "cat"))


def test_classes_without_names_are_counted_and_numbered():
    head = Classification().fit(np.array([0, 3, 1]), None, WHERE)
    assert (head.classes, head.class_names) == (4, ("0", "1", "2", "3"))


def test_configured_classes_can_have_no_examples():
    assert Classification(classes=5).fit(np.array([0, 3]), None, WHERE).class_names == tuple(
        "01234"
    )
    named = Classification(class_names=("a", "b", "c")).fit(np.array([0, 1]), None, WHERE)
    assert named.classes == 3


def test_names_in_the_config_override_those_of_the_data():
    head = Classification(class_names=("x", "y")).fit(np.array([0, 1]), ("a", "b"), WHERE)
    assert head.class_names == ("x", "y")


def test_wrong_number_of_classes():
    names = ("ant", "bee", "cat")
    assert error_message(Classification(classes=2), [0, 2], names) == (
        "the data has 3 classes, but the config's `classes` has 2. "
        "Leave it out to use those of the data."
    )
    assert error_message(Classification(class_names=("a", "b")), [0, 2], names) == (
        "the data has 3 classes, but the config's `class_names` has 2. "
        "Leave it out to use those of the data."
    )


def test_a_class_beyond_the_last_is_refused_with_its_row():
    assert error_message(Classification(classes=3), [0, 1, 7, 9]) == (
        "row 2 has class 7; expected 0 to 2"
    )
    assert (
        error_message(Classification(classes=3), [0, -1]) == "row 1 has class -1; expected 0 to 2"
    )
    head = Classification(classes=3).fit(np.array([0, 1, 2]), None, WHERE)
    with pytest.raises(DataError, match=r"^validation: row 1 has class 3; expected 0 to 2$"):
        head.check(np.array([0, 3]), "validation")


def test_a_single_class_is_refused():
    assert error_message(Classification(), [0, 0, 0]) == (
        "all training rows have the class 0; expected two or more classes. Add rows of other "
        "classes to the training split, or remove the head"
    )


@pytest.mark.parametrize(
    ("labels", "found"),
    [
        ([0.0, 1.0], "float64 of shape [2]"),
        (["a", "b"], "<U1 of shape [2]"),
        ([[0, 1], [1, 0]], "int64 of shape [2, 2]"),
        (PICTURES, "uint8 of shape [4, 3, 3, 1]"),
    ],
)
def test_labels_that_are_not_class_ids(labels, found):
    assert error_message(Classification(), labels) == (
        f"expected one class id per row for a classification head; got {found}"
    )


def test_classification_rules():
    assert problem(lambda: Classification(classes=3, class_names=("a", "b"))) == (
        "expected as many names as `classes`, 3; got 2"
    )
    assert problem(lambda: Classification(class_names=("a", "a"))) == (
        "expected unique names; some are duplicate"
    )
    assert (
        problem(lambda: Classification(class_names=("a", "b"), class_weights={"c": 1.0}))
        == "unknown class 'c'; the classes are: a, b"
    )


# Class weights.


def test_balanced_weights_match_a_manual_computation():
    # 6 rows, 3 classes: 6 / (3 * 3), 6 / (3 * 2), 6 / (3 * 1).
    assert balanced_weights(np.array([0, 0, 0, 1, 1, 2]), 3) == pytest.approx([2 / 3, 1, 2])


def test_a_class_without_rows_gets_no_weight():
    assert balanced_weights(np.array([0, 0, 2, 2]), 3) == pytest.approx([2 / 3, 0, 2 / 3])


def test_auto_weights_are_written_into_the_config_by_name():
    head = Classification(class_weights="auto").fit(np.array([0, 0, 0, 1]), ("a", "b"), WHERE)
    assert head.class_weights == pytest.approx({"a": 2 / 3, "b": 2.0})
    again = head.fit(np.array([0, 1]), ("a", "b"), WHERE)
    assert again.class_weights == head.class_weights  # What a run has written stays.


def test_unlisted_classes_have_weight_one():
    head = Classification(class_weights={"b": 5.0}).fit(np.array([0, 1, 2]), ("a", "b", "c"), WHERE)
    weights = head.example_weight(tf.constant([2, 1, 1, 0]))
    np.testing.assert_array_equal(weights, np.array([1, 5, 5, 1], "float32"))


def test_a_weight_for_an_unknown_class():
    head = Classification(class_weights={"dog": 2.0})
    assert error_message(head, [0, 1], ("ant", "bee")) == (
        "unknown class 'dog'; the classes are: ant, bee"
    )
    assert error_message(Binary(class_weights={"maybe": 2.0}), [0, 1]) == (
        "unknown class 'maybe'; the classes are: no, yes"
    )


def test_weights_of_binary_classes():
    head = Binary(class_weights="auto", positive=("bee",))
    head = head.fit(np.array([0, 1, 2, 0]), ("ant", "bee", "cat"), WHERE)
    assert head.class_weights == pytest.approx({"not bee": 2 / 3, "bee": 2.0})
    weights = head.example_weight(tf.constant([0, 1, 2]))
    np.testing.assert_allclose(weights, [2 / 3, 2, 2 / 3], 1e-6)


def test_weights_by_name_become_auto_without_names():
    assert Classification(class_weights={"cat": 2.0}).without_names().class_weights == "auto"
    assert Classification().without_names() == Classification()
    head = Binary(class_weights={"cat": 2.0}, positive=("cat",)).without_names()
    assert (head.class_weights, head.positive) == ("auto", None)


# Binary.


def test_binary_classes_have_names():
    assert Binary().fit(np.array([0, 1]), None, WHERE).class_names == ("no", "yes")
    assert Binary().fit(np.array([0, 1]), ("cat", "dog"), WHERE).class_names == ("cat", "dog")
    named = Binary(class_names=("bad", "good")).fit(np.array([0, 1]), ("cat", "dog"), WHERE)
    assert named.class_names == ("bad", "good")


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int32", "int64"])
def test_the_positive_class_is_one_in_any_integer_type(dtype):
    labels = np.array([0, 1, 1]).astype(dtype)
    head = Binary().fit(labels, None, WHERE)
    np.testing.assert_array_equal(head.target(tf.constant(labels), False), [[0], [1], [1]])
    assert head.class_labels(labels).tolist() == [0, 1, 1]


def test_several_classes_can_be_positive():
    labels, names = np.array([0, 1, 2, 3]), ("ant", "bee", "cat", "dog")
    head = Binary(positive=("dog", "bee")).fit(labels, names, WHERE)
    assert head.positive_values == (3, 1)
    assert head.class_names == ("not dog/bee", "dog/bee")
    np.testing.assert_array_equal(head.target(tf.constant(labels), False)[:, 0], [0, 1, 0, 1])
    assert head.decode_labels(labels) == ["not dog/bee", "dog/bee", "not dog/bee", "dog/bee"]


def test_negative_classes_are_recognized_in_other_data():
    """Other data use the same ids, and an unknown class is not silently negative."""
    head = Binary(positive=("bee",)).fit(np.array([0, 1, 2]), ("ant", "bee", "cat"), WHERE)
    assert head.known_names == ("ant", "bee", "cat")
    assert head.fit(np.array([0, 2]), head.known_names, WHERE) == head
    assert head.without_names().known_names == ("not bee", "bee")


def test_a_single_class_is_not_binary():
    assert error_message(Binary(), [0, 0], ("cat",)).startswith(
        "all training rows have the class cat; expected two or more classes. "
    )


@pytest.mark.parametrize("head", [Binary, Classification])
def test_names_in_another_order_are_refused(head):
    assert error_message(head(class_names=("dog", "cat")), [0, 1], ("cat", "dog")) == (
        "the data has the classes in the order cat, dog. Write `class_names` in this order, or "
        "leave it out"
    )


def test_an_unknown_positive_class():
    assert error_message(Binary(positive=("dg",)), [0, 1], ("cat", "dog")) == (
        "unknown class 'dg' in `positive`; the classes are: cat, dog"
    )
    assert error_message(Binary(positive=("dg",)), [0, 1]) == (
        "unknown class 'dg' in `positive`; the classes are: (the data has no class names)"
    )


def test_more_than_two_classes_are_not_binary():
    advice = (
        "expected 0 or 1 for a binary head. "
        "Use `type: classification`, or list the positive classes in `positive`."
    )
    assert error_message(Binary(), [0, 1, 2]) == f"row 2 has class 2; {advice}"
    assert error_message(Binary(), [0, -1]) == f"row 1 has class -1; {advice}"
    assert error_message(Binary(), [0.0, 1.0]) == (
        "expected 0 or 1 in each row for a binary head; got float64 of shape [2]"
    )


def test_the_threshold_decides():
    head = Binary(threshold=0.8).fit(np.array([0, 1]), None, WHERE)
    predicted = np.array([[0.79], [0.81]], "float32")
    assert head.predicted_classes(predicted).tolist() == [0, 1]
    assert head.decode(predicted, "kind")["kind"] == ["no", "yes"]
    metric = head.keras_metrics(soft=False)[0]
    metric.update_state(tf.constant([[0.0], [1.0]]), predicted)
    assert float(metric.result()) == 1


# Multilabel.


@pytest.mark.parametrize("dtype", ["bool", "int64", "float32"])
def test_labels_as_rows_of_zeros_and_ones(dtype):
    labels = np.array([[0, 1, 1], [0, 0, 0]]).astype(dtype)
    head = Multilabel().fit(labels, ("red", "round", "ripe"), WHERE)
    assert head.classes == 3
    assert head.decode_labels(labels) == ["round|ripe", ""]
    assert head.label_rows(labels).dtype == np.int64
    np.testing.assert_array_equal(head.target(tf.constant(labels), False), labels.astype("float32"))


def test_labels_as_class_numbers():
    labels = np.array([2, 0])
    head = Multilabel().fit(labels, None, WHERE)
    assert head.class_names == ("0", "1", "2")
    np.testing.assert_array_equal(head.target(tf.constant(labels), False), [[0, 0, 1], [1, 0, 0]])
    assert head.label_rows(labels).tolist() == [[0, 0, 1], [1, 0, 0]]
    assert Multilabel(classes=5).fit(labels, None, WHERE).classes == 5


def test_wrong_number_of_labels():
    rows = [[0, 1, 1], [0, 0, 0]]
    assert error_message(Multilabel(classes=2), rows) == (
        "the data has 3 labels, but the config's `classes` has 2. "
        "Leave it out to use those of the data."
    )
    assert error_message(Multilabel(class_names=("a", "b")), rows) == (
        "the data has 3 labels, but the config's `class_names` has 2. "
        "Leave it out to use those of the data."
    )
    assert problem(lambda: Multilabel(classes=3, class_names=("a", "b"))) == (
        "expected as many names as `classes`, 3; got 2"
    )


def test_values_that_are_not_sets_of_labels():
    expected = "expected 2 zeros and ones in each row, or one class id from 0 to 1"
    assert error_message(Multilabel(), [[0, 2], [1, 0]]) == expected
    assert error_message(Multilabel(classes=2), [0, 2]) == expected
    assert error_message(Multilabel(), PICTURES) == (
        "expected zeros and ones, or one class id, in each row for a multilabel head; "
        "got uint8 of shape [4, 3, 3, 1]"
    )
    assert error_message(Multilabel(), ["a|b", "c"]) == (
        "expected zeros and ones, or one class id, in each row for a multilabel head; "
        "got <U3 of shape [2]"
    )


@pytest.mark.parametrize(
    ("names", "separator", "cells"),
    [
        (("a", "b"), "|", ["a", "a|b", ""]),
        (("a", "b"), ",", ["a", "a,b", ""]),
        (("a, b", "c"), "|", ["a, b", "a, b|c", ""]),
        (("a|b", "c"), "|", ['["a|b"]', '["a|b", "c"]', "[]"]),
        (("[a]", "é"), "|", ['["[a]"]', '["[a]", "é"]', "[]"]),
    ],
)
def test_labels_round_trip(names, separator, cells):
    """Written predictions can be used as labels, whatever characters their names contain."""
    head = Multilabel(classes=2, class_names=names, separator=separator)
    rows = np.array([[1, 0], [1, 1], [0, 0]])
    assert head.decode_labels(rows) == cells
    assert head.decode(rows.astype("float32"), "tags")["tags"] == cells
    read = label_lists(polars.Series("tags", cells), separator, "here")[0].to_list()
    assert [set(labels) for labels in read] == [{names[0]}, set(names), set()]


# Regression.


def test_one_number_or_several():
    assert Regression().fit(np.array([1.5, 2.0]), None, WHERE).dim == 1
    assert Regression().fit(np.zeros((3, 4)), None, WHERE).dim == 4
    assert (
        error_message(Regression(dim=2), np.zeros((3, 4)))
        == "expected 2 numbers in each row, got 4"
    )


def test_values_that_are_not_numbers():
    assert error_message(Regression(), ["1.5"]) == (
        "expected a number, or a list of numbers, in each row for a regression head; "
        "got <U3 of shape [1]"
    )
    assert error_message(Regression(), PICTURES) == (
        "expected a number, or a list of numbers, in each row for a regression head; "
        "got uint8 of shape [4, 3, 3, 1]"
    )
    assert error_message(Regression(), [1.0, np.nan]) == "row 1 has nan; expected a finite number"
    assert error_message(Regression(), [[1.0, 2.0], [0.0, np.inf]]) == (
        "row 1 has [ 0. inf]; expected a finite number"
    )


def test_numbers_are_written_unquoted():
    predicted = np.array([[0.5], [1.5]], "float32")
    assert Regression(dim=1).decode(predicted, "price") == {"price": [0.5, 1.5]}
    assert Regression(dim=1).decode_labels(np.array([[2], [3]])) == [2, 3]
    assert Regression(dim=1).decode_labels(np.zeros(0)) == []
    both = np.array([[0.5, 1.0], [1.5, 2.0]], "float32")
    assert Regression(dim=2).decode(both, "at") == {"at_0": [0.5, 1.5], "at_1": [1.0, 2.0]}
    assert Regression(dim=2).decode_labels(both) == ["[0.5, 1.0]", "[1.5, 2.0]"]


def test_mean_and_std_are_computed_from_training_labels():
    head = Regression().fit(np.array([[1e6, 5.0], [3e6, 5.0]], "float32"), None, WHERE)
    assert head.mean == (2e6, 5.0)
    assert head.std == (1e6, 1.0)  # Of labels that are all the same: nothing to divide by.
    assert Regression(normalize=False).fit(np.array([1.0, 3.0]), None, WHERE).std is None


def test_given_mean_and_std_are_used():
    head = Regression(mean=(0.0,), std=(2.0,)).fit(np.array([1.0, 3.0]), None, WHERE)
    assert (head.mean, head.std) == ((0.0,), (2.0,))
    assert error_message(Regression(mean=(0.0, 1.0)), [1.0, 2.0]) == (
        "expected 1 numbers in `mean`, got 2"
    )


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"normalize": False, "mean": (1.0,)},
            "expected none with `normalize: false`, which does not use it",
        ),
        ({"dim": 1, "std": (1.0, 2.0)}, "expected as many numbers as `dim`, 1; got 2"),
        ({"std": (0.0,)}, "Input should be greater than 0"),
    ],
)
def test_rules_of_mean_and_std(fields, message):
    with pytest.raises(ValidationError) as caught:
        Regression(**fields)
    assert [error["msg"] for error in caught.value.errors()] == [message]


@pytest.mark.parametrize("loss", ["mean_squared_error", "mean_absolute_error", "huber"])
def test_loss_and_gradients_do_not_depend_on_the_unit(loss):
    """Targets of any magnitude train equally and are predicted in the data's units."""
    values = np.random.RandomState(0).normal(size=(64, 1))
    found = []
    for scale, shift in ((1.0, 0.0), (2e5, 1e6)):
        head = Regression(loss=loss).fit(values * scale + shift, None, WHERE)
        features = keras.Input((3,))
        keras.utils.set_random_seed(0)
        model = keras.Model(features, head.output(features, "price"))
        x = np.random.RandomState(1).normal(size=(64, 3)).astype("float32")
        target = head.target(tf.constant(values * scale + shift), soft=False)
        with tf.GradientTape() as tape:
            predicted = model(x)
            value = head.keras_loss(soft=False)(target, predicted)
        gradients = tape.gradient(value, model.trainable_variables)
        in_units = (head.predictions(predicted.numpy()) - shift) / scale
        found.append([float(value), in_units, *(gradient.numpy() for gradient in gradients)])
    for small, large in zip(*found, strict=True):
        np.testing.assert_allclose(small, large, rtol=1e-3, atol=1e-4)


def test_predicting_the_mean_has_a_squared_error_of_one():
    labels = np.array([25.0, 100, 346])
    head = Regression().fit(labels, None, WHERE)
    target = head.target(tf.constant(labels), soft=False)
    outputs = tf.zeros([3, 1])
    np.testing.assert_allclose(head.predictions(outputs.numpy()), np.full((3, 1), labels.mean()))
    assert float(head.keras_loss(soft=False)(target, outputs)) == pytest.approx(1)


@pytest.mark.parametrize(
    ("start", "step"),
    [
        pytest.param(1.7e9, 1.0, id="seconds"),
        pytest.param(1.7e12, 1.0, id="milliseconds"),
        pytest.param(1.7e12, 1e-3, id="fractions of milliseconds"),
        pytest.param(0.0, 1e-12, id="tiny"),
        pytest.param(5e17, 1e7, id="large"),
    ],
)
def test_close_labels_stay_distinct_and_round_trip(start, step):
    """float32 would round all of these labels to the same number."""
    labels = start + step * np.random.RandomState(0).permutation(60).astype("float64")
    head = Regression().fit(labels, None, WHERE)
    target = head.target(tf.constant(labels), soft=False)
    assert target.dtype == tf.float32
    assert len(np.unique(target)) == 60
    assert target.numpy().std() == pytest.approx(1, rel=1e-5)
    error = np.abs(head.predictions(target.numpy())[:, 0] - labels).max()
    assert error < 1e-5 * np.ptp(labels)
    metrics = head.evaluate(labels, head.predictions(np.zeros((60, 1), "float32")))
    expected = np.abs(labels - labels.mean()).mean()
    assert metrics["mean_absolute_error"] == pytest.approx(expected, rel=1e-6)


def test_integers_beyond_float64_stay_distinct():
    """Nanoseconds since 1970: float64 has steps of 256."""
    labels = 1_700_000_000_123_456_789 + np.arange(60)
    head = Regression().fit(labels, None, WHERE)
    assert len(np.unique(head.target(tf.constant(labels), soft=False))) == 60
    assert head.decode_labels(labels) == labels.tolist()


@pytest.mark.parametrize(
    ("head", "remedy"),
    [
        (Regression(normalize=False), "`normalize: false`"),
        (Regression(mean=(0.0,), std=(1.0,)), "`mean` and `std`"),
    ],
)
def test_labels_indistinguishable_in_float32_are_refused(head, remedy):
    labels = 1.7e12 + 1000 * np.arange(60.0)
    assert error_message(head, labels) == (
        "labels of about 1.7e+12 are too close together for the network's float32 without "
        f"normalization: it would round them by up to 3.891e+04. Leave out {remedy}."
    )
    assert head.fit(1000 * np.arange(60.0), None, WHERE).is_fitted


def test_labels_beyond_float32_are_refused_unless_normalized():
    labels = np.array([0.0, 4e38])
    assert error_message(Regression(normalize=False), labels) == (
        "a label of 4e+38 after normalization does not fit into float32, which the network "
        "computes with. Fix this row or use a larger unit."
    )
    assert Regression().fit(labels, None, WHERE).is_fitted


def test_numbers_without_a_finite_std_are_refused():
    with pytest.raises(DataError, match=r"as large as 1e\+300 have no finite standard"):
        Regression().fit(np.array([0.0, 1e300]), None, WHERE)


def test_synthetic_numbers_do_not_depend_on_fitted_statistics():
    """A run on synthetic data reads them again with a fitted head."""
    head = Regression(column="price", dim=1)
    fitted = head.replace(mean=(500.0,), std=(100.0,))
    first, second = (one.synthetic(np.random.RandomState(0), 50) for one in (head, fitted))
    np.testing.assert_array_equal(first, second)
    assert fitted.without_names() == head


# What predictions are written as.


def test_top_classes_are_in_descending_order():
    head = Classification(classes=3, class_names=("ant", "bee", "cat"))
    predicted = np.array([[0.2, 0.5, 0.3], [0.4, 0.2, 0.4]], "float32")
    assert head.decode(predicted, "animal") == {
        "animal": ["bee", "ant"],  # Of two that tie, the first.
        "animal_probability": pytest.approx([0.5, 0.4]),
    }
    columns = head.decode(predicted, "animal", top=2)
    assert list(columns) == [*("animal", "animal_probability", "animal_2", "animal_2_probability")]
    assert columns["animal_2"] == ["cat", "cat"]
    assert columns["animal_2_probability"] == pytest.approx([0.3, 0.4])
    assert len(head.decode(predicted, "animal", top=10)) == 6


def test_the_probability_of_every_label_is_written():
    head = Multilabel(classes=2, class_names=("red", "ripe"))
    predicted = np.array([[0.9, 0.6], [0.1, 0.2]], "float32")
    assert head.decode(predicted, "is") == {
        "is": ["red|ripe", ""],
        "is_red_probability": pytest.approx([0.9, 0.1]),
        "is_ripe_probability": pytest.approx([0.6, 0.2]),
    }


# Losses, by hand.


def test_cross_entropy_matches_a_manual_computation():
    predicted = np.array([[0.2, 0.5, 0.3]], "float32")
    for one_hot in (False, True):
        head = Classification(classes=3, one_hot=one_hot)
        loss = head.keras_loss(False)(head.target(tf.constant([1]), False), predicted)
        assert float(loss) == pytest.approx(-np.log(0.5), rel=1e-6)


def test_focal_loss_matches_a_manual_computation():
    """(1 - p) ** gamma times the cross-entropy, without a constant factor."""
    predicted = np.array([[0.2, 0.5, 0.3]], "float32")
    head = Classification(classes=3, loss="focal", focal_gamma=3.0)
    loss = head.keras_loss(False)(head.target(tf.constant([1]), False), predicted)
    assert float(loss) == pytest.approx(-(0.5**3) * np.log(0.5), rel=1e-5)
    binary = Binary(loss="focal", focal_gamma=3.0)
    loss = binary.keras_loss(False)(tf.constant([[1.0]]), np.array([[0.7]], "float32"))
    assert float(loss) == pytest.approx(-(0.3**3) * np.log(0.7), rel=1e-4)


def test_label_smoothing_matches_a_manual_computation():
    predicted = np.array([[0.2, 0.5, 0.3]], "float32")
    head = Classification(classes=3, label_smoothing=0.3)
    loss = head.keras_loss(False)(head.target(tf.constant([1]), False), predicted)
    expected = -(0.1 * np.log(0.2) + 0.8 * np.log(0.5) + 0.1 * np.log(0.3))
    assert float(loss) == pytest.approx(expected, rel=1e-6)


def test_the_standard_deviation_of_older_runs_is_read() -> None:
    head = Regression.model_validate({"type": "regression", "mean": (5.0,), "deviation": (2.0,)})

    assert head.std == (2.0,)
