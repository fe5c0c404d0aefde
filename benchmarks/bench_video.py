"""How well and how cheaply masks follow the sound of long synthetic videos.

    python benchmarks/bench_video.py work_dirs/videos
    python benchmarks/bench_video.py work_dirs/videos --seconds 5 30 --fps 1 --videos 2

Videos are drawn where they are missing. Each is tracked by the shipped auralsam2-mini under its own
sound and under that of the next video, which gives wrong masks; there one click is put on an object
that is missed in the second frame, and J of that object is compared over all later frames: before
the click, with it, with it and the sound then off, and with a click alone, without sound. Lines are
means over videos, a length and rate each in a process of its own, whose peak memory they tell.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
from pathlib import Path
from typing import Any

import numpy as np
from versions import told

SEED, CLASSES, SIDE = 4321, 8, 224


def main() -> None:
    """Draw videos, measure each length and rate in a process of its own, print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seconds", type=int, nargs="+", default=[5, 30, 120])
    parser.add_argument("--fps", type=int, nargs="+", default=[1, 5])
    parser.add_argument("--videos", type=int, default=4)
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(options.one)))
        return
    titles = ("seconds", "fps", "J", "J, swapped", "J, nothing", "object: before the click")
    titles += ("with it", "sound then off", "click alone", "encoder calls a frame", "peak MB")
    print(f"| {' | '.join(titles)} |\n{'|---' * len(titles)}|")
    for fps in options.fps:
        for seconds in options.seconds:
            root = options.out.resolve() / f"{seconds}s_{fps}fps"
            draw(root, seconds, fps, options.videos)
            file = Path(__file__).resolve()
            row = told(sys.executable, file, root, "--one", root)
            keys = ("own", "swapped", "nothing", "before", "sound", "off", "silent", "calls")
            cells = [str(seconds), str(fps), *(f"{row[key]:.3f}" for key in keys)]
            print(f"| {' | '.join(cells)} | {row['peak_mb']:.0f} |", flush=True)


def draw(root: Path, seconds: int, fps: int, count: int) -> None:
    """Write videos where they are not there."""
    from auralsam2.data.synthetic.layout import Plan
    from auralsam2.data.synthetic.writer import write_clips

    plan = Plan("video", (count,), SEED, SIDE, seconds * fps, CLASSES, fps=fps)
    write_clips(root, plan)


def measure(root: Path) -> dict[str, float]:
    """Means over the videos of a folder."""
    import torch

    from auralsam2.data.synthetic.video_layout import video_truths
    from auralsam2.predictor import AuralSAM2VideoPredictor

    torch.set_num_threads(1)
    predictor = AuralSAM2VideoPredictor.from_checkpoint()
    calls = [0]
    counted = predictor.image_encoder.register_forward_hook(lambda _, inputs, __: calls.__setitem__(
        0, calls[0] + len(inputs[0])))  # fmt: skip
    truths, rows = video_truths(root), []
    for number, truth in enumerate(truths):
        heard = [truth.heard(t) for t in range(len(truth.masks))]
        calls[0] = 0
        state, own = track(predictor, truth.video, None)
        seen_calls = calls[0] / len(heard)
        predictor.close(state)
        state, wrong = track(predictor, truth.video, truths[(number + 1) % len(truths)].video)
        before, sound, off, silent = clicked(predictor, state, truth, wrong)
        predictor.close(state)
        rows.append({
            "calls": seen_calls,
            "own": agreement(own, heard),
            "swapped": agreement(wrong, heard),
            "nothing": agreement([np.zeros_like(mask) for mask in heard], heard),
            "before": before,
            "sound": sound,
            "off": off,
            "silent": silent,
        })  # fmt: skip
    counted.remove()
    means = {key: float(np.mean([row[key] for row in rows])) for key in rows[0]}
    return {**means, "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def track(predictor: Any, video: Path, audio: Path | None) -> tuple[Any, list[np.ndarray]]:
    """State of a video under a sound, its own where there is none, and the masks of all frames."""
    state = predictor.init_state(str(video), audio=None if audio is None else str(audio))
    predictor.add_audio(state, 1)
    return state, answers(predictor, state)


def answers(predictor: Any, state: Any, start: int = 0) -> list[np.ndarray]:
    """(H, W) of object 1 in every frame from one on."""
    tracked = predictor.propagate_in_video(state, start_frame_idx=start)
    masks = {frame: (logits[0, 0] > 0).cpu().numpy() for frame, _, logits in tracked}
    return [masks[frame] for frame in sorted(masks)]


def clicked(predictor: Any, state: Any, truth: Any, wrong: list[np.ndarray]) -> list[float]:
    """J of one object behind a click on it.

    The object is the one that the masks of the second frame miss most.

    Returns:
        Without the click, with it, with the sound then switched off, and by the click alone.
    """
    import cv2

    seen = truth.seen(1)
    number = int((seen & ~wrong[1]).sum(axis=(1, 2)).argmax())
    middle = cv2.distanceTransform(seen[number].astype(np.uint8), cv2.DIST_L2, 3).argmax()
    y, x = np.unravel_index(int(middle), seen[number].shape)
    later = range(2, len(truth.masks))

    def score(masks: list[np.ndarray]) -> float:
        return float(np.mean([overlap(masks[t], truth.seen(t)[number]) for t in later]))

    found = [score(wrong)]
    predictor.add_new_points_or_box(state, 1, 1, points=[[float(x), float(y)]], labels=[1])
    found.append(score(answers(predictor, state)))
    predictor.set_audio_weight(state, 0.0)
    found.append(score(answers(predictor, state)))
    silent = predictor.init_state(str(truth.video), audio=False)
    predictor.add_new_points_or_box(silent, 1, 1, points=[[float(x), float(y)]], labels=[1])
    alone = answers(predictor, silent, start=1)
    predictor.close(silent)
    return [*found, score([wrong[0], *alone])]


def agreement(masks: list[np.ndarray], truth: list[np.ndarray]) -> float:
    """J, mean over frames."""
    return float(np.mean([overlap(m, t) for m, t in zip(masks, truth, strict=True)]))


def overlap(mask: np.ndarray, truth: np.ndarray) -> float:
    """J of a frame, as AVSBench has it."""
    if not truth.any():
        return float((~mask).mean())
    return float((mask & truth).sum() / (mask | truth).sum())


if __name__ == "__main__":
    main()
