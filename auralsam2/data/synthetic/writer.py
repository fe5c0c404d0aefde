"""Write synthetic clips as files in AVSBench's layout."""

from __future__ import annotations

import csv
import json
import os
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np

from auralsam2.data.synthetic.objects import CLASSES
from auralsam2.data.synthetic.scene import Scene, render, sample_scene
from auralsam2.data.synthetic.sounds import SAMPLE_RATE, render_sound

GENERATOR = 1
"""Version of scenes, sounds and files; raise it whenever the same seed gives other clips."""

TRUTH = "synthetic.json"
SPLITS = ("train", "val", "test")
HEADER = ("vid", "uid", "s_min", "s_sec", "a_obj", "split", "label")


class Plan(NamedTuple):
    """What to write.

    Attributes:
        layout: name of the layout.
        counts: clips of train, val and test.
        seed: clip i is drawn from (seed, i) alone.
        size: side of the frames in pixels.
        num_frames: T, one frame a second.
        num_classes: the first so many of the classes occur.
    """

    layout: str
    counts: tuple[int, int, int]
    seed: int
    size: int = 224
    num_frames: int = 5
    num_classes: int = len(CLASSES)

    def scene(self, index: int) -> Scene:
        """Draw clip ``index``."""
        rng = np.random.default_rng([self.seed, index])
        return sample_scene(rng, num_frames=self.num_frames, num_classes=self.num_classes)

    def settings(self) -> dict[str, Any]:
        """What identifies the result, for comparison with a folder that exists."""
        return {**self._asdict(), "counts": list(self.counts), "generator": GENERATOR}


def split_counts(clips: int) -> tuple[int, int, int]:
    """70, 10 and 20 %, at least one clip each."""
    val, test = max(1, clips // 10), max(1, clips // 5)
    return clips - val - test, val, test


def write_v1m(
    root: Path, plan: Plan, workers: int = 1, on_clip: Callable[[], None] | None = None
) -> bool:
    """Write clips in the V1M layout of AVSBench's semantic release.

    ``root/avss_index/metadata.csv`` and ``root/v1m/UID/{frames,labels_rgb,audio.wav}``, as well as
    ``root/synthetic.json`` with what was drawn. Whole clips appear at once; the index is written
    last, so that an interrupted call leaves no data set that looks complete.

    Args:
        root: an empty, new, or interrupted folder.
        plan: what to write.
        workers: processes; the result does not depend on it.
        on_clip: called after every finished clip.

    Returns:
        False where the folder already held exactly this.

    Raises:
        FileExistsError: where the folder holds something else.
    """
    if _complete(root, plan):
        return False
    root.mkdir(parents=True, exist_ok=True)
    (root / ".plan.json").write_text(json.dumps(plan.settings()), encoding="utf-8")
    total = sum(plan.counts)
    job = partial(_write_clip, root / plan.layout, plan)
    truths: dict[int, dict[str, Any]] = {}
    if workers <= 1:
        for index in range(total):
            truths[index] = job(index)
            if on_clip:
                on_clip()
    else:
        with ProcessPoolExecutor(workers) as pool:
            futures = {pool.submit(job, index): index for index in range(total)}
            for future in as_completed(futures):
                truths[futures[future]] = future.result()
                if on_clip:
                    on_clip()
    _finish(root, plan, [truths[i] for i in range(total)])
    return True


def _complete(root: Path, plan: Plan) -> bool:
    """Whether the folder is done; raises where it is somebody else's."""
    for name, done in ((TRUTH, True), (".plan.json", False)):
        path = root / name
        if not path.is_file():
            continue
        loaded = json.loads(path.read_text(encoding="utf-8"))
        found = loaded.get("settings", loaded)
        if found != plan.settings():
            differing = {
                k: (found.get(k), v) for k, v in plan.settings().items() if found.get(k) != v
            }
            shown = ", ".join(f"{k} {old} instead of {new}" for k, (old, new) in differing.items())
            raise FileExistsError(
                f"'{root}' holds synthetic clips made with other settings: {shown}; choose another "
                "folder or delete this one"
            )
        return done
    if root.is_dir() and any(root.iterdir()):
        raise FileExistsError(f"'{root}' is not empty and holds no synthetic clips; choose another")
    return False


def _write_clip(folder: Path, plan: Plan, index: int) -> dict[str, Any]:
    """Write clip ``index`` and return its truth."""
    import soundfile

    scene = plan.scene(index)
    truth = _truth(scene, plan, index)
    target = folder / truth["uid"]
    if target.is_dir():
        return truth
    cv2.setNumThreads(1)
    frames, masks = render(scene, plan.size)
    partial_dir = folder / f".{truth['uid']}.{os.getpid()}"
    # A killed process may have had the same number, as in a container.
    shutil.rmtree(partial_dir, ignore_errors=True)
    for name in ("frames", "labels_rgb"):
        (partial_dir / name).mkdir(parents=True)
    for t in range(plan.num_frames):
        image = cv2.cvtColor(frames[t], cv2.COLOR_RGB2BGR)
        cv2.imwrite(str(partial_dir / "frames" / f"{t}.jpg"), image, [cv2.IMWRITE_JPEG_QUALITY, 95])
        label = cv2.cvtColor(_label(scene, masks[t], t), cv2.COLOR_RGB2BGR)
        cv2.imwrite(str(partial_dir / "labels_rgb" / f"{t}.png"), label)
    samples = render_sound(scene, np.random.default_rng([plan.seed, index, 1]))
    soundfile.write(partial_dir / "audio.wav", samples, SAMPLE_RATE, subtype="PCM_16")
    try:
        partial_dir.rename(target)
    except OSError:  # another process has just written the same clip
        shutil.rmtree(partial_dir)
    return truth


def _label(scene: Scene, masks: np.ndarray, frame: int) -> np.ndarray:
    """(H, W, 3): the visible pixels of what sounds, in the colour of its class."""
    label = np.zeros((*masks.shape[1:], 3), np.uint8)
    for number, item in enumerate(scene.objects):
        if scene.sounding[frame, number]:
            label[masks[number]] = class_colour(item.class_index)
    return label


def class_colour(class_index: int) -> tuple[int, int, int]:
    """A colour of its own for every class; never black."""
    code = class_index + 1
    return tuple(64 * ((code >> (2 * channel)) % 4) for channel in range(3))  # type: ignore[return-value]


def _truth(scene: Scene, plan: Plan, index: int) -> dict[str, Any]:
    bounds = np.cumsum(plan.counts)
    names = [item.name for item in scene.objects]
    sounds = [name for n, name in enumerate(names) if scene.sounding[:, n].any()]
    return {
        "uid": f"clip{index:05d}_s{plan.seed}",
        "split": SPLITS[int(np.searchsorted(bounds, index, side="right"))],
        "a_obj": "_".join(sorted(sounds)) or "background",
        "objects": names,
        "sounding": scene.sounding.astype(int).tolist(),
    }


def _finish(root: Path, plan: Plan, truths: Sequence[dict[str, Any]]) -> None:
    index = root / "avss_index" / "metadata.csv"
    index.parent.mkdir(exist_ok=True)
    with open(index, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        for truth in truths:
            row = (truth["uid"], truth["uid"], 0, 0, truth["a_obj"], truth["split"], plan.layout)
            writer.writerow(row)
    classes = [kind.name for kind in CLASSES[: plan.num_classes]]
    content = {"settings": plan.settings(), "classes": classes, "clips": list(truths)}
    partial_file = root / f".{TRUTH}.{os.getpid()}"
    partial_file.write_text(json.dumps(content, indent=1), encoding="utf-8")
    os.replace(partial_file, root / TRUTH)
    (root / ".plan.json").unlink(missing_ok=True)


LAYOUTS: dict[str, Callable[..., bool]] = {"v1m": write_v1m}
