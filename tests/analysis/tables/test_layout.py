from __future__ import annotations

import pytest

from analysis.tables.layout import three_digits


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (0.01284, "0.0128"),
        (1.6955, "1.70"),
        (58.28, "58.3"),
        (1234.4, "1234"),
        (0.00001, "0.0000100"),
    ],
)
def test_three_digits(value: float, text: str) -> None:
    assert three_digits(value) == text
