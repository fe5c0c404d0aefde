"""What is kept to spare work costs no result: every keeper, writes that fail, damaged files."""

from __future__ import annotations

import ast
import errno
import io
import logging
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import soundfile

from analysis.clips import labels as clip_labels
from analysis.clips import masks as clip_masks
from analysis.dilution import readings
from analysis.embeddings.points import COLUMNS, Points, RunPoints
from analysis.robustness import scores as robustness
from auralsam2 import kept_digests, messages
from auralsam2.data import kept_frames, log_mel_cache
from auralsam2.engine import run_record
from auralsam2.engine.metric_scales import MetricScale
from auralsam2.kept_files import archive_arrays, archive_bytes, keep, read_archive

ROOT = Path(__file__).parents[2]
Maker = Callable[[Path, pytest.MonkeyPatch], tuple[Callable[[], Any], Path, list[int]]]


@pytest.fixture(autouse=True)
def nothing_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messages, "_SAID", set())


def make_log_mel(folder: Path, patch: pytest.MonkeyPatch) -> Any:
    calls: list[int] = []
    compute = log_mel_cache.log_mel_examples
    patch.setattr(log_mel_cache, "log_mel_examples", lambda *a: [calls.append(1), compute(*a)][1])
    sound = folder / "audio.wav"
    soundfile.write(sound, np.random.default_rng(0).uniform(-0.3, 0.3, (16_000, 1)), 16_000)
    cache = log_mel_cache.LogMelCache(folder / "cache")
    return lambda: cache.examples(sound, 1), cache.entry(sound, 1, "published", "both"), calls


def make_dilution(folder: Path, patch: pytest.MonkeyPatch) -> Any:
    calls: list[int] = []
    row = ("007", 0, "gain", "true", 0, 1, -1, "mask", 0.123456789012345678)
    read = readings.DilutionReadings()
    patch.setattr(readings.DilutionReadings, "_frames", lambda *_: [calls.append(1)])
    patch.setattr(readings, "frame_rows", lambda _: [row] * 1)
    return lambda: read.of(folder), read.path(folder), calls


def make_points(folder: Path, patch: pytest.MonkeyPatch) -> Any:
    calls: list[int] = []
    rows = [("a", 0, 0, "fused", "audio", True, "dog")]

    def measure(*_: Any) -> Points:
        calls.append(1)
        vectors = {"fused": np.ones((1, 3), np.float32)}
        return Points(pd.DataFrame(rows, columns=list(COLUMNS)), vectors)

    patch.setattr(RunPoints, "measure", measure)
    points = RunPoints()
    return lambda: points.of(folder).vectors["fused"], points.path(folder), calls


def make_robustness(folder: Path, patch: pytest.MonkeyPatch) -> Any:
    calls: list[int] = []
    scores = robustness.OneCorruption({(0.0, "a"): (0.1 + 0.2,)}, {"J": MetricScale()}, True)
    clean = robustness.CorruptionScores(corruption=None, split="test")
    settings = clean.settings(folder, {})

    def make() -> Any:
        if (kept := clean.read(folder, settings)) is None:
            calls.append(1)
            clean.write(folder, settings, kept := scores)
        return kept.scored[0.0, "a"]

    return make, clean.path(folder), calls


def make_masks(folder: Path, patch: pytest.MonkeyPatch) -> Any:
    calls: list[int] = []
    arrays = {key: np.full((1, 2, 2), 7, np.uint8) for key in clip_masks._ARRAYS}
    one = clip_masks.ClipMasks(clip="a", **arrays, sound=None, scores={"J": 0.5})
    patch.setattr(clip_masks, "_predict", lambda *_: [calls.append(1), {"a": one}][1])
    masks = lambda: clip_masks.clip_masks(folder, ["a"])["a"].truth  # noqa: E731
    return masks, folder / "clip_masks.npz", calls


def make_labels(folder: Path, patch: pytest.MonkeyPatch) -> Any:
    calls: list[int] = []
    rows = [("007", 0.1, 0.25, ["a,b", "ü"], True), ("null", np.nan, 1.0, None, None)]
    frame = pd.DataFrame(rows, columns=list(clip_labels.COLUMNS))
    patch.setattr(clip_labels.ClipLabels, "measure", lambda *_: [calls.append(1), frame][1])
    labels = clip_labels.ClipLabels()
    return lambda: labels.of(folder).map(str).to_numpy(), labels.path(folder), calls


def make_frames(folder: Path, patch: pytest.MonkeyPatch) -> Any:
    calls: list[int] = []
    patch.setattr(kept_frames, "YOUNG", -(10**12))  # else what was just made is not kept
    picture = folder / "0.png"
    picture.write_bytes(b"x")
    frames = kept_frames.Frames(np.arange(12, dtype=np.uint8).reshape(1, 3, 2, 2), (2, 2))
    kept = kept_frames.KeptFrames(folder / "cache", ["published"])
    entry = kept._entry((picture,), [kept_digests.stamp(picture)])
    decode = lambda: [calls.append(1), frames][1]  # noqa: E731
    return lambda: kept.frames((picture,), decode).pixels, entry, calls


def make_digests(folder: Path, patch: pytest.MonkeyPatch) -> Any:
    calls: list[int] = []
    patch.setattr(kept_digests, "YOUNG", -(10**12))
    compute = kept_digests._content
    patch.setattr(kept_digests, "_content", lambda path: [calls.append(1), compute(path)][1])
    data = folder / "0.png"
    data.write_bytes(b"x")
    path = folder / "kept.digests"

    def digests() -> Any:
        (digest,) = kept_digests.content_digests([data], folder, [path]).values()
        return np.frombuffer(digest, np.uint8)

    return digests, path, calls


KEEPERS: dict[str, Maker] = {
    "auralsam2/data/kept_frames.py": make_frames,
    "auralsam2/data/log_mel_cache.py": make_log_mel,
    "auralsam2/kept_digests.py": make_digests,
    "analysis/dilution/readings.py": make_dilution,
    "analysis/embeddings/points.py": make_points,
    "analysis/clips/labels.py": make_labels,
    "analysis/robustness/scores.py": make_robustness,
    "analysis/clips/masks.py": make_masks,
}
WITHOUT_FACTS = {make_frames, make_log_mel, make_digests}
TRUSTED = {make_frames}
"""Checks the length of an entry alone: reading gigabytes twice would cost what keeping saves."""
PICTURES = {"auralsam2/engine/evaluate.py"}
"""Keeps masks of a few clips, which nothing reads back in the place of work."""
SAVERS = {"savez", "savez_compressed", "save_npz"}
EVERY = pytest.mark.parametrize("keeper", KEEPERS)


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    record = run_record.start(
        name="a", axes={}, seed=0, run_id="", config_hash="", data_fingerprint=""
    )
    run_record.write(record, tmp_path)
    return tmp_path


def test_every_keeper_is_tested() -> None:
    """Whoever writes an archive of arrays, keeps a file or derives from a keeper is known here."""
    found = set()
    for folder in ("auralsam2", "analysis", "ablations"):
        for path in (ROOT / folder).rglob("*.py"):
            nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
            imports = [node for node in nodes if isinstance(node, ast.ImportFrom)]
            names = {alias.name for node in imports for alias in node.names}
            called = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
            if names & {"keep", "Kept", "KeptMeasurement", "archive_bytes"} or called & SAVERS:
                found.add(path.relative_to(ROOT).as_posix())
    found -= {"auralsam2/kept_files.py", "analysis/kept.py"}
    assert found == KEEPERS.keys() | PICTURES


@EVERY
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EACCES, errno.EROFS])
def test_a_write_that_fails_costs_no_number(
    run_dir: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    keeper: str,
    code: int,
) -> None:
    make, path, calls = KEEPERS[keeper](run_dir, monkeypatch)
    expected = make()
    for file in (path, path.with_suffix(".json")):
        file.unlink(missing_ok=True)

    def fail(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    with monkeypatch.context() as patch, caplog.at_level(logging.WARNING):
        patch.setattr(os, "replace", fail)
        got = [make(), make()]
    for again in got:
        np.testing.assert_array_equal(again, expected)
    assert not path.exists() and len(calls) == 3
    assert [r for r in path.parent.iterdir() if path.name in r.name] == []
    (said,) = [r.getMessage() for r in caplog.records]
    assert path.stem in said and os.strerror(code) in said


@pytest.mark.parametrize(
    ("keeper", "damage"),
    [(k, d) for k in KEEPERS for d in ("empty", "cut", "altered", "facts")
     if (d != "facts" or KEEPERS[k] not in WITHOUT_FACTS)
     and (d != "altered" or KEEPERS[k] not in TRUSTED)],
)  # fmt: skip
def test_a_damaged_file_is_made_again(
    run_dir: Path, monkeypatch: pytest.MonkeyPatch, keeper: str, damage: str
) -> None:
    make, path, calls = KEEPERS[keeper](run_dir, monkeypatch)
    expected = make()
    content, facts = bytearray(path.read_bytes()), path.with_suffix(".json")
    if damage == "facts":
        facts.write_text(facts.read_text()[:-20])
    elif damage == "altered":
        content[-9] ^= 1
        path.write_bytes(content)
    else:
        path.write_bytes(content[: len(content) // 2] if damage == "cut" else b"")
    for _ in range(2):
        np.testing.assert_array_equal(make(), expected)
    assert len(calls) == 2  # made again once, and mended


@EVERY
def test_what_is_whole_is_read(run_dir: Path, monkeypatch: pytest.MonkeyPatch, keeper: str) -> None:
    make, _, calls = KEEPERS[keeper](run_dir, monkeypatch)
    np.testing.assert_array_equal(make(), make())
    assert len(calls) == 1


def test_writers_at_once_leave_one_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    contents = [bytes([n]) * 100_000 for n in range(8)]
    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(lambda content: keep(path, content), contents))
    assert path.read_bytes() in contents and os.listdir(tmp_path) == ["a.bin"]


@pytest.mark.parametrize("value", [0, 255, 1])
def test_a_damaged_archive_is_whole_or_refused(tmp_path: Path, value: int) -> None:
    content = archive_bytes({"a": np.arange(20.0), "t/é": np.array(["x", "yy"])})
    assert archive_arrays(content).keys() == {"a", "t/é"}
    for place in range(len(content)):
        damaged = bytearray(content)
        damaged[place] ^= value
        for bytes_ in (damaged, content[:place]):
            with suppress(ValueError):
                archive_arrays(bytes(bytes_))
    alone = io.BytesIO()
    np.save(alone, np.arange(3))
    (tmp_path / "a.npz").write_bytes(alone.getvalue())
    with pytest.raises(ValueError, match=r"a\.npz is damaged \(one array, no archive\)"):
        read_archive(tmp_path / "a.npz")
    assert read_archive(tmp_path / "none.npz") == {}


def test_a_folder_that_is_a_file_is_no_data_error(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("")
    assert not keep(tmp_path / "cache" / "ab" / "entry", b"x")
    assert io.StringIO((tmp_path / "cache").read_text()).read() == ""
