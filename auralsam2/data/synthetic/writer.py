"""Write synthetic clips as files in a benchmark's layout."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import cv2

from auralsam2.data.clip_contents import SYNTHETIC_TRUTH
from auralsam2.data.processes import in_processes
from auralsam2.data.synthetic.avsbench_layouts import V1MLayout, V1SLayout, V2Layout
from auralsam2.data.synthetic.layout import GENERATOR as GENERATOR
from auralsam2.data.synthetic.layout import Layout
from auralsam2.data.synthetic.layout import Plan as Plan
from auralsam2.data.synthetic.objects import CLASSES
from auralsam2.data.synthetic.ref_avs_layout import RefAVSLayout
from auralsam2.data.synthetic.video_layout import VideoLayout
from auralsam2.listing import files_in, folders_in
from auralsam2.messages import unknown_name
from auralsam2.text_files import write_text

LAYOUTS: dict[str, type[Layout]] = {
    "v1s": V1SLayout,
    "v1m": V1MLayout,
    "v2": V2Layout,
    "ref_avs": RefAVSLayout,
    "video": VideoLayout,
}
UNFINISHED = ".plan.json"


def layout_of(plan: Plan) -> Layout:
    """The layout of a plan, which draws and writes its clips; an error where there is none."""
    if plan.layout not in LAYOUTS:
        raise ValueError(unknown_name("layout", plan.layout, sorted(LAYOUTS)))
    return LAYOUTS[plan.layout](plan)


def split_counts(clips: int, layout: str = "v1m") -> tuple[int, ...]:
    """The layout's shares of a number of clips, at least one clip for each split."""
    rest = [max(1, clips * percent // 100) for percent in LAYOUTS[layout].percents]
    return clips - sum(rest), *rest


def asked_counts(name: str, clips: int, split: str | None, problems: list[str]) -> tuple[int, ...]:
    """Clips of every split as a user asks for them.

    ``split`` joins counts by slashes; where it is None, ``clips`` are shared out. What is wrong
    with either is added to ``problems``, and there are no counts.
    """
    layout = LAYOUTS[name]
    fewest = len(layout.splits)
    if split is None:
        if clips >= fewest:
            return split_counts(clips, name)
        problems.append(f"--clips must be at least {fewest}, one a split; got {clips}")
    elif re.fullmatch("/".join([r"[1-9]\d*"] * fewest), split):
        return tuple(int(part) for part in split.split("/"))
    else:
        problems.append(
            f"--split wants {fewest} counts ({'/'.join(layout.splits)}), at least 1 each, such as "
            f"{layout.example}, got {split!r}"
        )
    return ()


def write_clips(
    root: Path, plan: Plan, workers: int = 1, on_clip: Callable[[], None] = lambda: None
) -> bool:
    """Write clips in the layout of a plan, and ``root/synthetic.json`` with what was drawn.

    Whole clips appear at once; the index is written last, so that an interrupted call leaves no
    data set that looks complete.

    Args:
        root: an empty, new, or interrupted folder.
        plan: what to write.
        workers: processes; the result does not depend on it.
        on_clip: called after every finished clip.

    Returns:
        False where the folder already held exactly this.

    Raises:
        ValueError: where the plan cannot be followed; all that is wrong with it is listed.
        FileExistsError: where the folder holds something else.
    """
    layout = layout_of(plan)
    if problems := layout.problems():
        raise ValueError("cannot write these clips: " + "\nand ".join(problems))
    if _complete(root, plan):
        return False
    root.mkdir(parents=True, exist_ok=True)
    write_text(root / UNFINISHED, json.dumps(plan.settings()))
    truths = []
    for truth in in_processes(partial(_write_clip, root, plan), range(sum(plan.counts)), workers):
        truths.append(truth)
        on_clip()
    _finish(root, layout, truths)
    return True


def _complete(root: Path, plan: Plan) -> bool:
    """Whether the folder is done; raises where it is somebody else's."""
    for name, done in ((SYNTHETIC_TRUTH, True), (UNFINISHED, False)):
        path = root / name
        if not path.is_file():
            continue
        loaded = json.loads(path.read_text(encoding="utf-8"))
        found, wanted = loaded.get("settings", loaded), plan.settings()
        if found != wanted:
            differing = [k for k in {**wanted, **found} if found.get(k) != wanted.get(k)]
            shown = ", ".join(f"{k} {found.get(k)} instead of {wanted.get(k)}" for k in differing)
            raise FileExistsError(
                f"'{root}' holds synthetic clips made with other settings: {shown}; choose another "
                "folder or delete this one"
            )
        return done
    if files_in(root) or folders_in(root):
        raise FileExistsError(f"'{root}' is not empty and holds no synthetic clips; choose another")
    return False


def _write_clip(root: Path, plan: Plan, index: int) -> dict[str, Any]:
    """Write clip ``index`` and return its truth."""
    layout = layout_of(plan)
    scene = layout.scene(index)
    truth = layout.truth(index, scene)
    if not layout.clip_folder(root, truth).is_dir():
        cv2.setNumThreads(1)
        layout.write_clip(root, index, scene, truth)
    return truth


def _finish(root: Path, layout: Layout, truths: Sequence[dict[str, Any]]) -> None:
    layout.write_index(root, truths)
    plan = layout.plan
    classes = [kind.name for kind in CLASSES[: plan.num_classes]]
    content = {"settings": plan.settings(), "classes": classes, "clips": list(truths)}
    write_text(root / SYNTHETIC_TRUTH, json.dumps(content, indent=1))
    (root / UNFINISHED).unlink(missing_ok=True)
