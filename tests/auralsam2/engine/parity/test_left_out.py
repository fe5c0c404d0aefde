"""A fixture that lacks expected numbers is compared on what it has."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load, save

from auralsam2.engine.parity.compare import Row
from auralsam2.engine.parity.fixtures import FACTS, Fixtures
from auralsam2.engine.parity.run import GROUPS, Group, check_group, present

Checked = Callable[[Path, Group], list[Row]]

# Facts that are results, not settings.
RESULTS = (
    *("frame_iou", "clip_iou", "clip_fscore", "running_mean_iou", "running_mean_fscore"),
    *("sqrt_ratio_this_batch", "released_cumulative_ratio", "first"),
    *("loss_if_labels_were_correct", "mean_over_20_seeds", "std_over_20_seeds"),
    *("param_grad_l2", "eval.param_grad_l2", "train.param_grad_l2"),
    *("test.order", "test.argmax_iou", "train.order", "train.argmax_iou"),
    *("J", "F", "S", "J_per_frame", "F_per_frame", "miou", "F_of_each_clip"),
    *("total", "bce", "matching", "cross_entropy", "iou_loss", "mix_loss"),
    *("count", "parameters", "count_per_class", "iou_sum_per_class", "f_sum_per_class"),
    *("stage_1", "stage_2"),
)

# Of terms and layers by the names of results.
SETTINGS = {"weights", "config"}
# Results that are inputs, too: whether a pixel is a peak depends on the last digit of its own.
READ = {"similarity"}


def _copy(source: Path, target: Path, group: Group) -> None:
    for name in {group.stem, *group.needs}:
        for path in source.glob(f"{name}.*"):
            target.mkdir(exist_ok=True)
            shutil.copyfile(path, target / path.name)


def _leave_out(folder: Path, name: str, tensors: Collection[str], facts: Collection[str]) -> None:
    path, told = Fixtures(folder).path(name), Fixtures(folder).path(name, FACTS)
    if path.is_file():
        kept = {
            k: v for k, v in load(gzip.decompress(path.read_bytes())).items() if k not in tensors
        }
        path.write_bytes(gzip.compress(save(kept), compresslevel=1))
    if told.is_file():
        told.write_text(json.dumps(_pruned(json.loads(told.read_text()), facts)))


def _pruned(facts: Any, gone: Collection[str]) -> Any:
    if not isinstance(facts, dict):
        return facts
    return {
        key: value if key in SETTINGS else _pruned(value, gone)
        for key, value in facts.items()
        if key not in gone
    }


def check_halves(source: Path, target: Path, group: Group, rows: Sequence[Row]) -> None:
    """Leave out every second result, then the others: all rows of the rest remain and pass."""
    name, fixtures = group.stem, Fixtures(source)
    held = fixtures.tensors(name) if fixtures.has(name) else {}
    compared = sorted({row.tensor for row in rows} & held.keys() - READ)
    for start in (0, 1):
        gone = compared[start::2]
        _copy(source, target, group)
        _leave_out(target, name, gone, RESULTS[start::2])
        left = {row.tensor: row for row in check_group(target, group)}
        assert [row for row in left.values() if not row.passed and row.tensor != "(empty)"] == []
        assert left.keys() & held.keys() - READ == set(compared) - set(gone)


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.name)
def test_of_the_release(release: Path, tmp_path: Path, group: Group, checked: Checked) -> None:
    if rows := checked(release, group):
        check_halves(release, tmp_path / "copy", group, rows)


def test_of_a_fixture_of_ours(listener_folder: Path, tmp_path: Path, checked: Checked) -> None:
    (group,) = present(listener_folder)
    check_halves(listener_folder, tmp_path / "copy", group, checked(listener_folder, group))
