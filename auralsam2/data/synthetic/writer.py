"""Write synthetic clips as files in a benchmark's layout."""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import partial
from pathlib import Path
from typing import Any

import cv2

from auralsam2.data.synthetic.layouts import LAYOUTS as LAYOUTS
from auralsam2.data.synthetic.objects import CLASSES
from auralsam2.data.synthetic.plan import GENERATOR as GENERATOR
from auralsam2.data.synthetic.plan import Plan as Plan
from auralsam2.data.synthetic.plan import split_counts as split_counts
from auralsam2.listing import files_in, folders_in
from auralsam2.text_files import write_text

TRUTH = "synthetic.json"


def write_clips(
    root: Path, plan: Plan, workers: int = 1, on_clip: Callable[[], None] | None = None
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
    if problems := plan.problems():
        raise ValueError("cannot write these clips: " + "\nand ".join(problems))
    if _complete(root, plan):
        return False
    root.mkdir(parents=True, exist_ok=True)
    write_text(root / ".plan.json", json.dumps(plan.settings()))
    total = sum(plan.counts)
    job = partial(_write_clip, root, plan)
    truths: dict[int, dict[str, Any]] = {}
    if workers <= 1:
        for index in range(total):
            truths[index] = job(index)
            if on_clip:
                on_clip()
    else:
        with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
            futures = {pool.submit(job, index): index for index in range(total)}
            for future in as_completed(futures):
                truths[futures[future]] = future.result()
                if on_clip:
                    on_clip()
    _finish(root, plan, [truths[i] for i in range(total)])
    return True


write_v1m = write_clips
"""The name from when there was one layout."""


def _complete(root: Path, plan: Plan) -> bool:
    """Whether the folder is done; raises where it is somebody else's."""
    for name, done in ((TRUTH, True), (".plan.json", False)):
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
    layout = LAYOUTS[plan.layout]
    scene = plan.scene(index)
    truth = layout.truth(plan, index, scene)
    if not layout.clip_folder(root, truth).is_dir():
        cv2.setNumThreads(1)
        layout.write_clip(root, plan, index, scene, truth)
    return truth


def _finish(root: Path, plan: Plan, truths: Sequence[dict[str, Any]]) -> None:
    LAYOUTS[plan.layout].write_index(root, plan, truths)
    classes = [kind.name for kind in CLASSES[: plan.num_classes]]
    content = {"settings": plan.settings(), "classes": classes, "clips": list(truths)}
    write_text(root / TRUTH, json.dumps(content, indent=1))
    (root / ".plan.json").unlink(missing_ok=True)
