from __future__ import annotations

import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from zipfile import BadZipFile

import pytest
from safetensors import SafetensorError

from analysis.clips import masks as clip_masks
from analysis.runs import saved_clips
from analysis.runs.lost_runs import why_lost
from auralsam2.custom_imports import import_custom
from auralsam2.models.prediction_file import PredictionFile


def caught(call: Callable[[], object]) -> Exception:
    try:
        call()
    except Exception as error:
        return error
    raise AssertionError("nothing was raised")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ValueError("no such\n  split"), "no such split"),
        (FileNotFoundError("the weights are gone"), "the weights are gone"),
        (KeyError("unknown model 'X'; known: Y"), "unknown model 'X'; known: Y"),
        (ImportError("needs av"), "needs av"),
        (BadZipFile("not a zip"), "BadZipFile: not a zip"),
        (zlib.error("bad header"), "error: bad header"),
        (SafetensorError("header too large"), "SafetensorError: header too large"),
        (MemoryError(), "MemoryError:"),
        (RuntimeError("CUDA out of memory."), "RuntimeError: CUDA out of memory."),
    ],
)
def test_what_was_raised_to_be_read_or_is_damage_is_a_lost_run(error: Exception, said: str) -> None:
    assert why_lost(error) == said


CLIPS = PredictionFile(Path("boxes.json"), (), {"a": []})
# Each from code of this project that is called with what no run can give it.
BUGS: dict[str, Callable[[], object]] = {
    "TypeError": lambda: saved_clips.thinned(None, 3),  # type: ignore[arg-type]
    "AttributeError": lambda: clip_masks.score_warning(None, "J", 0.5),  # type: ignore[arg-type]
    "KeyError": lambda: clip_masks._entry("of my dog", {}, "test", None, {}),
}


@pytest.mark.parametrize("kind", BUGS)
def test_a_bug_of_ours_is_no_lost_run(kind: str) -> None:
    error = caught(BUGS[kind])
    assert type(error).__name__ == kind
    with pytest.raises(type(error)) as raised:
        why_lost(error)
    assert raised.value is error


def test_a_key_that_was_raised_to_be_read_is_a_lost_run() -> None:
    error = caught(lambda: CLIPS.frames("my dog", 1))
    assert why_lost(error).startswith("'boxes.json' has no clip 'my dog'; it has 1 clips")


@pytest.mark.parametrize("error", [AssertionError("odd"), IndexError("list index out of range")])
def test_neither_is_one_without_a_trace(error: Exception) -> None:
    with pytest.raises(type(error)):
        why_lost(error)


def test_what_a_run_s_own_code_raises_is_its_own_fault(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text("import math\n\ndef forward():\n    return math.sqrt(None)\n")
    assert import_custom({"custom_imports": {"imports": [str(file)]}}, tmp_path) == []
    (module,) = [m for name, m in sys.modules.items() if getattr(m, "__file__", "") == str(file)]
    assert why_lost(caught(module.forward)) == "TypeError: must be real number, not NoneType"
