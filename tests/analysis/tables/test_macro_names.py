"""Any text as a part of a macro's name."""

from __future__ import annotations

import pytest

from analysis.tables.macro_names import collisions, is_macro_name, macro_name


@pytest.mark.parametrize(
    ("texts", "name"),
    [
        (("J", "sparse+dense"), "JSparseDense"),
        (("block 1 alone",), "BlockOneAlone"),
        (("AuralSAM2",), "AuralSAMTwo"),
        (("temperature 0.1",), "TemperatureZeroPointOne"),
        (("lr=1e-3",), "LrOneeMinusThree"),
        (("top-10",), "TopOneZero"),
        (("-1",), "MinusOne"),
        (("λ",), "Lambda"),
        (("é_x",), "EX"),
        (("日",), "USixFiveETwo".replace("ETwo", "EFive")),
        (("..",), ""),
    ],
)
def test_letters_alone(texts: tuple[str, ...], name: str) -> None:
    assert macro_name(*texts) == name and (not name or is_macro_name(name))


def test_names_of_anything_are_names_or_nothing(nasty_names: tuple[str, ...]) -> None:
    for text in nasty_names:
        name = macro_name(text)
        assert not name or is_macro_name(name), text


def test_collisions_name_both() -> None:
    (problem,) = collisions([("AB", "a+b"), ("C", "c"), ("AB", "a/b")])
    assert r"\AB" in problem and "a+b and for a/b" in problem and "cell_names" in problem
    assert not is_macro_name("a1") and not is_macro_name("é") and not is_macro_name("")
