"""Tests of `mmzoo.spec.wording`."""

import pytest

from mmzoo.spec.wording import plain_number


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (241_700.4, "241,700"),
        (1_721_606_400_123.0, "1,721,606,400,123"),
        (0.0123, "0.0123"),
        (-42.0, "-42"),
        (12_345.0, "12,345"),
        (1e-12, "1e-12"),
    ],
)
def test_numbers_are_written_readably(value: float, text: str) -> None:
    assert plain_number(value) == text
