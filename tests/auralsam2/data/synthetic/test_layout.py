from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from auralsam2.data.synthetic.scene import sample_scene
from auralsam2.data.synthetic.writer import LAYOUTS, Plan, layout_of, split_counts, write_clips


@pytest.mark.parametrize("layout", LAYOUTS)
def test_shares_give_a_plan_that_can_be_followed(layout: str) -> None:
    fewest = len(LAYOUTS[layout].splits)
    assert split_counts(fewest, layout) == (1,) * fewest
    assert split_counts(300, "v1m") == (210, 30, 60)
    counts = split_counts(300, layout)
    assert sum(counts) == 300
    drawn = layout_of(Plan(layout, counts, 0, unseen=LAYOUTS[layout].default_unseen))
    assert drawn.problems() == []
    assert tuple(int(n) for n in LAYOUTS[layout].example.split("/")) > (0,) * fewest
    splits = [drawn.split(index) for index in range(300)]
    assert [splits.count(name) for name in LAYOUTS[layout].splits] == list(counts)
    with pytest.raises(IndexError, match="beyond the 300"):
        drawn.split(300)


def test_all_problems_are_told_before_anything_is_written(tmp_path: Path) -> None:
    plan = Plan("v2", (1, 0, 1), seed=-1, size=4, num_frames=0, num_classes=3, unseen=1, fps=2)
    with pytest.raises(ValueError) as caught:
        write_clips(tmp_path / "clips", plan)
    for name in ("counts", "seed", "size", "frames", "classes", "fps", "unseen"):
        assert f"{name} must be" in str(caught.value)
    assert not (tmp_path / "clips").exists()
    with pytest.raises(ValueError, match="unknown layout 'v1'"):
        write_clips(tmp_path / "clips", Plan("v1", (1, 1, 1), 0))


@pytest.mark.parametrize("unseen", [0, 9])
def test_ref_avs_needs_seen_and_unseen_classes(unseen: int) -> None:
    found = layout_of(Plan("ref_avs", (1,) * 5, 0, num_frames=10, unseen=unseen)).problems()
    assert found == [f"unseen must be from 1 to 8, all but 4 classes; got {unseen}"]


@pytest.mark.parametrize(
    "plan",
    [
        Plan("v1m", (4, 2, 1), 3, num_classes=6),
        Plan("ref_avs", (1,) * 5, 3, unseen=2),
        Plan("video", (4,), 3, fps=5),
    ],
)
def test_settings_tell_the_plan(plan: Plan) -> None:
    assert Plan.from_settings(plan.settings()) == plan


def test_settings_of_v1m_are_as_they_were() -> None:
    assert set(Plan("v1m", (1, 1, 1), 0).settings()) == {
        "layout", "counts", "seed", "size", "num_frames", "num_classes", "generator",
    }  # fmt: skip


def test_given_classes_and_slower_motion() -> None:
    one, slow = (
        sample_scene(np.random.default_rng(4), 5, class_indices=[3, 7, 1], motion=motion)
        for motion in (1.0, 0.0)
    )
    assert [o.class_index for o in one.objects] == [3, 7, 1]
    assert all(np.ptp(o.centre, axis=0).max() > 0 for o in one.objects)
    assert all(np.ptp(o.centre, axis=0).max() == 0 for o in slow.objects)
