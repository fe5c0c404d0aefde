from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest

from analysis.kept import KeptMeasurement, run_settings, still_holds
from auralsam2.engine import run_record
from auralsam2.engine.run_record import RunRecord
from auralsam2.messages import UnfitModelError


@dataclass(frozen=True, kw_only=True)
class Letters(KeptMeasurement[bytes]):
    """A letter a thousand times."""

    schema: ClassVar[int] = 1
    file_name: ClassVar[str] = "letters.bin"
    letter: str = "a"

    def measure(self, run_dir: Path, overrides: Mapping[str, Any]) -> bytes:
        if "numbers" in overrides:
            raise UnfitModelError("it has numbers alone")
        return self.letter.encode() * 1000

    def encode(self, numbers: bytes) -> tuple[bytes, dict[str, Any]]:
        return numbers, {"of": numbers[:1].decode()}

    def decode(self, content: bytes, facts: Mapping[str, Any]) -> bytes:
        if facts.get("of", "a") != content[:1].decode():
            raise ValueError("damaged")
        return content


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    record = RunRecord(data_fingerprint="a" * 64, num_parameters={"trainable": 1})
    run_record.write(record, tmp_path)
    (tmp_path / "config.py").write_text("seed = 0")
    (tmp_path / "best.safetensors").write_bytes(b"one")
    return tmp_path


def test_whatever_changes_the_numbers_makes_them_anew(run_dir: Path) -> None:
    held = run_settings(run_dir, {"a.b": 1, "data.root": "/x"})
    assert still_holds(held, run_settings(run_dir, {"data.root": "/y", "a.b": 1}))
    changes = [run_settings(run_dir, {"a.b": 2})]
    (run_dir / "config.py").write_text("seed = 1")
    changes.append(run_settings(run_dir, {"a.b": 1}))
    (run_dir / "config.py").write_text("seed = 0")
    (run_dir / "best.safetensors").write_bytes(b"two")
    changes.append(run_settings(run_dir, {"a.b": 1}))
    (run_dir / "best.safetensors").write_bytes(b"one")
    run_record.write(RunRecord(data_fingerprint="b" * 64), run_dir)
    changes.append(run_settings(run_dir, {"a.b": 1}))
    assert [still_holds(held, changed) for changed in changes] == [False] * 4


def test_what_is_left_of_lost_weights_and_what_older_code_left_is_kept(run_dir: Path) -> None:
    held = {**run_settings(run_dir, {}), "code_version": "1+a"}
    older = {key: held[key] for key in ("weights", "overrides", "code_version")}
    now = {**held, "code_version": "1+b"}
    assert still_holds(older, held) and not still_holds(older, now, code=("code_version",))
    (run_dir / "best.safetensors").unlink()
    gone = {**run_settings(run_dir, {}), "code_version": "1+b"}
    assert still_holds(held, gone, code=("code_version",)) and not still_holds(held, gone)


def test_files_of_earlier_versions_have_no_digest_and_bare_settings(run_dir: Path) -> None:
    letters = Letters()
    settings = letters.settings(run_dir, {})
    path, stated = run_dir / "letters.bin", run_dir / "letters.json"
    path.write_bytes(b"abc")
    stated.write_text(json.dumps(settings))
    assert letters.read(run_dir, settings) == b"abc"
    stated.write_text(json.dumps({"settings": settings}))
    assert letters.read(run_dir, settings) == b"abc"
    assert letters.read(run_dir, {**settings, "letter": "b"}) is None
    for text in ("[1]", "{", ""):
        stated.write_text(text)
        assert letters.read(run_dir, settings) is None


def test_what_is_kept_is_not_measured_again(run_dir: Path) -> None:
    letters = Letters()
    assert letters.of(run_dir) == b"a" * 1000
    (run_dir / "letters.bin").write_bytes(b"a")
    assert letters.of(run_dir) == b"a" * 1000, "damaged"
    stated = json.loads((run_dir / "letters.json").read_text())
    assert stated["settings"] == letters.settings(run_dir, {}) and stated["of"] == "a"
    with pytest.raises(UnfitModelError):
        letters.of(run_dir, overrides={"numbers": 1})
    with pytest.raises(ValueError, match="max_clips must be at least 1, got 0"):
        Letters(max_clips=0).of(run_dir)
    assert Letters(letter="b").of(run_dir) == b"b" * 1000, "other settings"
    stated = json.loads((run_dir / "letters.json").read_text())
    stated["settings"] |= {"code_version": "0", "letter": "a"}
    (run_dir / "letters.json").write_text(json.dumps(stated))
    assert letters.read(run_dir, letters.settings(run_dir, {})) is None, "other code"
    (run_dir / "best.safetensors").unlink()
    assert letters.of(run_dir) == b"b" * 1000, "all that is left of the weights, by other code"
    with pytest.raises(FileNotFoundError, match="the trained weights are gone"):
        letters.of(run_dir, again=True)


def test_writers_at_once_leave_what_belongs_together_or_nothing(run_dir: Path) -> None:
    writers = [Letters(letter=letter) for letter in "abcdefgh"]
    settings = Letters().settings(run_dir, {})
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda w: w.write(run_dir, settings, w.measure(run_dir, {})), writers))
    # Two writers may leave the file of the one with the facts of the other: then nothing is kept.
    found = Letters().read(run_dir, settings)
    assert found is None or len(set(found)) == 1
