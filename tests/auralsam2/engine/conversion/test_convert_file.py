"""Files of both formats, and a pickle that must not be read; the rest is tested with reading."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from auralsam2.engine.conversion.convert import Options, aside_path, convert_file


@pytest.mark.parametrize("wrapper", [None, "state_dict", "model"])
@pytest.mark.parametrize("suffix", [".safetensors", ".pt"])
def test_round_trip_through_files(
    tmp_path: Path, small_state, assert_same, wrapper: str | None, suffix: str
) -> None:
    state = small_state()
    source, ours, again = tmp_path / "in.pth", tmp_path / f"ours{suffix}", tmp_path / "again.pth"
    torch.save({wrapper: state, "epoch": 3} if wrapper else state, source)
    convert_file(source, ours)
    convert_file(ours, again)
    assert_same(torch.load(again, weights_only=True), state)
    names = [p.name for p in tmp_path.iterdir()]
    assert sorted(names) == sorted(["in.pth", ours.name, "again.pth"]), "nothing else is left"


def test_what_has_no_place_is_written_beside(tmp_path: Path, small_state) -> None:
    state, extra = small_state(), torch.arange(3.0)
    source, target = tmp_path / "in.pth", tmp_path / "out.safetensors"
    torch.save(state | {"teacher.bias": extra}, source)
    with pytest.raises(ValueError, match=r"in.pth.*1 unexpected \(teacher.bias\)"):
        convert_file(source, target)
    assert not target.exists()
    convert_file(source, target, Options(allow_partial=True))
    beside = load_file(aside_path(target))
    assert list(beside) == ["teacher.bias"] and torch.equal(beside["teacher.bias"], extra)


def test_views_are_written_without_what_is_behind_them(tmp_path: Path, small_state) -> None:
    state = small_state()
    state["smooth_convs.0.bias"] = torch.zeros(1_000_000)[:8]
    source, ours, again = (tmp_path / name for name in ("in.pth", "ours.pth", "again.pth"))
    torch.save(state, source)
    convert_file(source, ours)
    convert_file(ours, again)
    assert source.stat().st_size > 4_000_000 > again.stat().st_size


class Bomb:
    """Unpickling it leaves a mark."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return Path.touch, (self.mark,)


def test_code_in_a_pickle_is_refused_and_not_run(tmp_path: Path, small_state) -> None:
    source, mark = tmp_path / "evil.pth", tmp_path / "mark"
    torch.save(small_state() | {"payload": Bomb(mark)}, source)
    with pytest.raises(ValueError, match="cannot read .* could run code"):
        convert_file(source, tmp_path / "out.pth")
    assert not mark.exists() and not (tmp_path / "out.pth").exists()


def test_paths_are_checked_before_anything_is_read(tmp_path: Path) -> None:
    source = tmp_path / "in.pth"
    with pytest.raises(FileNotFoundError, match="no checkpoint at .*in.pth"):
        convert_file(source, tmp_path / "out.pth")
    source.write_bytes(b"")
    with pytest.raises(ValueError, match="out.onnx.*known: .safetensors, .pth, .pt"):
        convert_file(source, tmp_path / "out.onnx")
    with pytest.raises(ValueError, match="name another file"):
        convert_file(source, source)
