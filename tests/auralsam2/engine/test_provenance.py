from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from auralsam2 import __version__
from auralsam2.engine import provenance


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small package whose version is asked for."""
    folder = tmp_path / "auralsam2"
    (folder / "weights").mkdir(parents=True)
    (folder / "a.py").write_text("x = 1\n")
    (folder / "weights" / "mini.safetensors").write_bytes(b"\1\2")
    monkeypatch.setattr(provenance, "_PACKAGE", folder)
    provenance.code_version.cache_clear()
    yield folder
    provenance.code_version.cache_clear()


def fresh_version() -> str:
    provenance.code_version.cache_clear()
    return provenance.code_version()


def test_code_version_changes_with_sources_and_weights_only(package: Path) -> None:
    first = fresh_version()
    assert first.startswith(f"{__version__}+")
    (package / "notes.txt").write_text("not code")
    assert fresh_version() == first
    (package / "a.py").write_text("x = 2\n")
    second = fresh_version()
    (package / "weights" / "mini.safetensors").write_bytes(b"\1\3")
    assert len({first, second, fresh_version()}) == 3


def test_code_version_does_not_depend_on_where_the_package_lies(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = fresh_version()
    copy = tmp_path / "site-packages" / "auralsam2"
    shutil.copytree(package, copy)
    monkeypatch.setattr(provenance, "_PACKAGE", copy)
    assert fresh_version() == first


def test_environment_names_versions_and_is_json(package: Path) -> None:
    import json

    found = provenance.environment()
    assert found["packages"]["mmengine"]
    assert found["git_commit"] is None  # the copy is no checkout
    json.dumps(found, allow_nan=False)
