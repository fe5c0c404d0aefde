"""Fixtures of the whole suite: toy components and a small valid config, no torch, no weights."""

from __future__ import annotations

import gc
import importlib.util
import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mmengine.config import Config

from auralsam2.engine import run_record
from auralsam2.engine.run_record import RunRecord
from auralsam2.registry import DATASETS, FUSIONS, METRICS, MODELS, PROJECTORS, REGISTRIES


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests come first: the last one would keep one process busy on its own."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(scope="session", autouse=True)
def _no_waiting_for_the_disk() -> Iterator[None]:
    """No test survives the loss of power: records, 10 ms each, need not reach the disk."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: None)
        yield


@pytest.fixture(scope="module", autouse=True)
def _quick_garbage_collection() -> None:
    """Whatever is there before a file of tests, all of torch above all, is not looked through.

    Every run of a grid in the same process ends with a full collection, which took half a second.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture
def toy_components(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Only toys are registered while the test runs."""
    real = {registry: registry.module_dict for registry in REGISTRIES.values()}
    for registry in REGISTRIES.values():
        monkeypatch.setattr(registry, "base", None)
        if registry.parent is None or registry in (MODELS, DATASETS, METRICS):
            monkeypatch.setattr(registry, "module_dict", {})
            monkeypatch.setattr(registry, "_imported", True)

    @MODELS.register_module()
    class ToyModel:
        def __init__(self, fusion, projector=None, depths=(1, 2), image_size=64) -> None: ...

    @DATASETS.register_module()
    class ToyClips:
        def __init__(self, root, subset="v1m", split="train", image_size=64) -> None: ...

    @DATASETS.register_module()
    class ToySwapped:
        def __init__(self, dataset, seed=0) -> None: ...

    @METRICS.register_module()
    class ToyMetric:
        name, higher_is_better, bounds, subject = "J", True, (0.0, 1.0), "object"

        def __init__(self, beta2=0.3) -> None: ...

    @FUSIONS.register_module()
    class SumFusion:
        def __init__(self, channels, num_heads=4, inner=None) -> None: ...

    @FUSIONS.register_module()
    class GateFusion:
        def __init__(self, channels, gate=0.5) -> None: ...

    @PROJECTORS.register_module()
    class ToyProjector:
        def __init__(self, channels, dim) -> None: ...

    yield
    for registry, known in real.items():  # what a test was the first to import registers once only
        for name, component in registry.module_dict.items():
            if component.__module__.startswith("auralsam2."):
                known[name] = component


@pytest.fixture
def toy_config_dict(toy_components: None) -> dict[str, Any]:
    return dict(
        seed=0,
        model=dict(type="ToyModel", fusion=dict(type="SumFusion", num_heads=2), depths=(1, 2)),
        data=dict(
            root="data",
            image_size=64,
            batch_size=2,
            num_workers=0,
            train=dict(type="ToyClips"),
            val=dict(type="ToyClips", split="val"),
            test=dict(
                test=dict(type="ToyClips", split="test"),
                swapped=dict(type="ToySwapped", dataset=dict(type="ToyClips", split="test")),
            ),
        ),
        optim=dict(
            optimizer=dict(type="AdamW", lr=1e-4),
            epochs=2,
            power=0.9,
            amp=None,
            accumulate=1,
            clip_grad=None,
        ),
        evaluation=dict(
            metrics=[dict(type="ToyMetric")],
            select_by="J",
            decode="iou_select",
            every=1,
            num_saved_clips=3,
        ),
        runtime=dict(
            device="auto",
            checkpoint_every=1,
            log_every=10,
            tensorboard=True,
            num_threads=None,
            work_dir="work_dirs",
        ),
    )


@pytest.fixture
def toy_config(toy_config_dict: dict[str, Any]) -> Config:
    return Config(toy_config_dict)


@pytest.fixture
def write_video() -> Callable[..., Path]:
    """Write a video whose pictures and sound tell the time."""
    return _write_video


def _write_video(
    path: Path,
    seconds: float = 5,
    sound: bool = True,
    delay: float = 0.0,
    rate: int = 22_050,
    layout: str = "stereo",
) -> Path:
    """Up to 7 s of 10 pictures a second, 48 x 32 px, and a tone from 1 s on.

    Picture number n has the grey level 20 + 3 n. The tone has an amplitude of 0.4 on the left, and
    of 0.2 on the right if there is one; the whole track begins ``delay`` seconds late.
    """
    av = pytest.importorskip("av", reason="PyAV (extra 'video') is not installed")
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        video = container.add_stream("mpeg4", rate=10)
        video.width, video.height, video.pix_fmt = 48, 32, "yuv420p"
        video.bit_rate = 4_000_000  # so that neighbouring levels stay apart
        track = container.add_stream("aac", rate=rate, layout=layout) if sound else None
        for number in range(round(10 * seconds)):
            picture = np.full((32, 48, 3), 20 + 3 * number, np.uint8)
            container.mux(video.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(video.encode(None))
        if track is not None:
            time = np.arange(round(seconds * rate)) / rate
            tone = np.sin(2 * np.pi * 440 * time) * (time >= 1)
            ears = np.stack([0.4 * tone, 0.2 * tone][: 1 + (layout == "stereo")])
            block = av.AudioFrame.from_ndarray(ears.astype(np.float32), "fltp", layout)
            block.sample_rate, block.pts = rate, round(delay * rate)
            container.mux(track.encode(block))
            container.mux(track.encode(None))
    return path


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A headless Chromium."""
    path = Path(__file__).with_name("chromium.py")
    spec = importlib.util.spec_from_file_location("chromium_by_pipe", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    program = module.find_chromium()
    if program is None:
        pytest.skip(f"no Chromium on the path (looked for {', '.join(module.NAMES)})")
    browser = module.Browser(program, tmp_path_factory.mktemp("chromium"))
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def write_scored() -> Callable[..., RunRecord]:
    """Write the record of a finished run, named as its folder."""

    def write(
        run_dir: Path, scores: Mapping[str, Mapping[str, Mapping[str, float]]], **fields: object
    ) -> RunRecord:
        """``scores``: split -> metric -> clip -> value; ``fields`` of the record."""
        cell = run_dir.name
        record = run_record.start(run_id=cell, config_hash=cell, data_fingerprint="d", name=cell)
        for split, metrics in scores.items():
            means = {name: float(np.mean(list(clips.values()))) for name, clips in metrics.items()}
            run_record.add_scores(record, split, means, metrics)
        run_record.finish(record, 1.0)
        for name, value in fields.items():
            setattr(record, name, value)
        run_record.write(record, run_dir)
        return record

    return write


@pytest.fixture
def exact(write_scored: Callable[..., RunRecord], tmp_path: Path) -> Callable[..., Path]:
    """Write a grid whose scores of single clips are exactly what is given.

    ``scores``: (cell, seed) -> split -> metric -> clip -> value, or clip -> J on ``test``, or one
    number: J of one clip of ``test``, and one minus it with the audio swapped.
    """

    def write(
        scores: dict[tuple[str, int], Any],
        reference: str | None = "b",
        title: str = "A & B_c",
        folder: Path = tmp_path,
        **fields: object,
    ) -> Path:
        cells: dict[str, list[dict[str, object]]] = {}
        for number, ((cell, seed), held) in enumerate(scores.items()):
            if not isinstance(held, dict):
                held = {
                    "test": {"J": {"clip": held}},
                    "test_audio_swapped": {"J": {"clip": 1 - held}},
                }
            elif held and not any(isinstance(one, dict) for one in held.values()):
                held = {"test": {"J": held}}
            own = {"name": cell, "seed": seed, "run_id": f"{cell}{seed}", **fields}
            place = f"runs/{number}"
            write_scored(folder / place, held, **own)
            cells.setdefault(cell, []).append({"seed": seed, "run_id": "", "folder": place})
        grid = {"title": title, "reference": reference}
        grid["cells"] = [{"name": cell, "runs": runs} for cell, runs in cells.items()]
        (folder / "grid.json").write_text(json.dumps(grid))
        return folder

    return write
