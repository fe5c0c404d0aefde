from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest

from auralsam2 import kept_digests
from auralsam2.engine import identity
from auralsam2.engine.identity import file_digests, identify, parse
from auralsam2.registry import DATASETS


def test_paths_do_not_count_and_everything_else_does(toy_config_dict: dict[str, Any]) -> None:
    base = identify(toy_config_dict, "data")
    elsewhere = {**toy_config_dict["runtime"], "device": "cuda", "work_dir": "/mnt/elsewhere"}
    assert identify({**toy_config_dict, "runtime": elsewhere}, "data") == base
    moved = {**toy_config_dict, "data": {**toy_config_dict["data"], "root": "/mnt/elsewhere"}}
    assert identify(moved, "data") == base
    others = [
        identify({**toy_config_dict, "seed": 1}, "data"),
        identify(toy_config_dict, "other data"),
        identify({**toy_config_dict, "model": {"type": "Other"}}, "data"),
        identify({**toy_config_dict, "runtime": {"hooks": [{"type": "EMAHook"}]}}, "data"),
    ]
    assert len({base, *others}) == 5
    assert parse(str(base)) == base


def test_weights_count_by_content(toy_config_dict: dict[str, Any], tmp_path: Path) -> None:
    def of(path: Path, content: bytes) -> identity.Identity:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        toy_config_dict["model"]["backbone"] = dict(type="X", checkpoint=str(path))
        return identify(toy_config_dict, "data")

    first = of(tmp_path / "a" / "sam2.pt", b"one")
    assert of(tmp_path / "b" / "sam2.pt", b"one") == first
    assert of(tmp_path / "c" / "sam2.pt", b"two") != first
    toy_config_dict["model"]["backbone"]["checkpoint"] = "/nowhere/sam2.pt"
    assert identify(toy_config_dict, "data").work != first.work


def test_large_weights_are_read_once_by_all_processes(
    toy_config_dict: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(identity, "LARGE", len("larger"))
    monkeypatch.setattr(kept_digests, "YOUNG", -(10**12))  # the weights are some moments old
    content, read = kept_digests._content, []
    monkeypatch.setattr(kept_digests, "_content", lambda p: (read.append(p.name), content(p))[1])
    node = toy_config_dict["model"]["backbone"] = {"type": "X"}
    for name in ("small", "larger"):
        (tmp_path / name).write_text(name)
        node["checkpoint"] = str(tmp_path / name)
        for _ in range(2):
            identity._file_content.cache_clear()  # another process
            (found,) = file_digests(toy_config_dict).values()
            assert found == identity.digest(name)
    assert read == ["small", "small", "larger"]


@pytest.mark.parametrize(
    "node",
    [
        dict(type="AVSBenchDataset", semantic=True),
        dict(type="NamedSources", dataset=dict(type="AVSBenchDataset")),
        dict(type="NamedSources", classes=["a"], dataset=dict(type="AVSBenchDataset")),
        dict(type="NamedSources", dataset=dict(type="AVSBenchDataset", semantic=True)),
        dict(type="AVSBenchDataset"),
    ],
)
@pytest.mark.parametrize("split", ["train", "val", "test"])
def test_class_numbers_count_where_a_reader_uses_them(
    split: str, node: dict[str, Any], tmp_path: Path
) -> None:
    stated = {"unseen": node} if split == "test" else node
    plain = {"data": {"root": str(tmp_path), split: stated}}
    used = "semantic" in str(node) or ("classes" not in node and node["type"] == "NamedSources")
    identities = set()
    for numbers in ('{"background": 0, "cat": 1}', '{"cat": 0, "background": 1}'):
        (tmp_path / "label2idx.json").write_text(numbers)
        identities.add(identify(plain, "data"))
    assert len(identities) == 1 + used
    assert bool(file_digests(plain)) == used


def reads_class_map(reader: type) -> bool:
    """Whether a class calls `read_class_map`, or a function beside it that does."""
    beside = inspect.getmembers(inspect.getmodule(reader), inspect.isfunction)
    own = [(name, f) for name, f in beside if f.__module__ == reader.__module__]
    called = [name for name, f in own if "read_class_map(" in inspect.getsource(f)]
    return any(f"{name}(" in inspect.getsource(reader) for name in ("read_class_map", *called))


def test_every_reader_of_class_numbers_says_so() -> None:
    DATASETS.import_from_location()
    readers = {
        name: reader for name, reader in DATASETS._known().items() if reads_class_map(reader)
    }
    assert len(readers) >= 2
    assert [name for name, reader in readers.items() if not hasattr(reader, "companions")] == []


def test_own_components_count_as_code(toy_config_dict: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / "gate.py"
    file.write_text("x = 1")
    toy_config_dict["custom_imports"] = dict(imports=[str(file), "no.such.module"])
    first = identify(toy_config_dict, "data")
    identity._code.cache_clear()
    file.write_text("x = 2")
    second = identify(toy_config_dict, "data")
    assert first.work == second.work and first.code != second.code


def test_what_an_own_file_imports_beside_it_counts_as_code(
    toy_config_dict: dict[str, Any], tmp_path: Path
) -> None:
    def code(**files: str) -> str:
        identity._code.cache_clear()
        for name, text in files.items():
            (tmp_path / f"{name}.py").write_text(text)
        return identify(toy_config_dict, "data").code

    toy_config_dict["custom_imports"] = dict(imports=[str(tmp_path / "own.py")])
    first = code(own="def f():\n    import helper", helper="import other", other="x = 1", grid="")
    assert code(grid="seeds = [1]") == first, "nobody imports it"
    assert len({first, code(other="x = 2"), code(helper="import other, math")}) == 3


@pytest.mark.parametrize(
    "text", ["no/such", "no.such", "\0.bin", "~nobody_here/a.bin", "a" * 5000 + ".b"]
)
def test_a_text_that_only_looks_like_a_file_has_no_digest(text: str) -> None:
    assert file_digests({"model": {"said": text}}) == {}
