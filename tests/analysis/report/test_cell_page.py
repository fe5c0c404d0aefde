from __future__ import annotations

from pathlib import Path

import pytest

from analysis.report.cell_page import ABSENT, compare_configs, read_config

CONFIG = """
seed = 3
data = dict(root='/private/data', batch_size=2)
model = dict(
    backbone=dict(checkpoint='/private/w.pt'), text=dict(weights='builtin://x'), depths=(1, 2),
    losses=[dict(type='A'), dict(type='B', weight=1e-3)], prompt=None, empty=dict())
runtime = dict(device='auto', hooks=[dict(type='EMAHook')])
"""


def test_seeds_folders_and_where_a_run_happened_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "config.py").write_text(CONFIG)
    assert read_config(tmp_path) == {
        "data.batch_size": "2",
        "model.backbone.checkpoint": "'w.pt'",
        "model.text.weights": "'builtin://x'",
        "model.depths": "[1, 2]",
        "model.losses.0.type": "'A'",
        "model.losses.1.type": "'B'",
        "model.losses.1.weight": "0.001",
        "model.prompt": "None",
        "model.empty": "{}",
        "runtime.hooks.0.type": "'EMAHook'",
    }


def test_a_folder_without_a_config(tmp_path: Path) -> None:
    assert read_config(tmp_path) is None
    (tmp_path / "config.py").write_text("model = ")
    with pytest.raises(ValueError, match="SyntaxError"):
        read_config(tmp_path)


def test_what_was_changed_added_and_taken_away() -> None:
    base = {"a": "1", "b.c": "2", "d": "3"}
    assert compare_configs(base, {"a": "1", "b.c": "4", "e": "5"}) == [
        ("b.c", "2", "4"),
        ("d", "3", ABSENT),
        ("e", ABSENT, "5"),
    ]
    assert compare_configs(base, base) == []


def test_a_part_that_is_switched_off_is_one_value() -> None:
    on = {"model.dense.type": "'D'", "model.dense.inner.width": "3", "model.denser": "1"}
    off = {"model.dense": "None", "model.denser": "1"}
    whole = "type='D', inner.width=3"
    assert compare_configs(on, off) == [("model.dense", whole, "None")]
    assert compare_configs(off, on) == [("model.dense", "None", whole)]
