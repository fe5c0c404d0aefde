from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis.figures import dilution_matrices
from tests.analysis.planted import Rows, at_sites, over_clips


@pytest.fixture
def clips() -> pd.DataFrame:
    shift = {"a": 0.0, "b": 0.2}
    how: dict[str, Any] = {"clips": shift, "heads": range(-1, 8)}
    gain = lambda clip, site, head, **_: 0.1 * site - 0.05 * head + shift[clip]  # noqa: E731
    deaf = at_sites("gain", value=gain, **how)
    deaf += at_sites("gain", value=9.0, tokens="prompt", **how)
    effect = lambda clip, head, **_: 0.01 * (head + 1) + shift[clip]  # noqa: E731
    hears = deaf + at_sites("js", "swapped", effect, **how)
    hears += at_sites("js", "swapped", 9.0, at=[1], **how)
    return over_clips({"arm 0": deaf, "arm 1": hears, "arm 2": hears})


def test_every_head_has_its_mean(clips: pd.DataFrame) -> None:
    gains, effects = dilution_matrices.collect_heads(clips)

    gain = gains.by_arm["arm 0"]
    assert list(gain.index) == list(range(1, 9)) and list(gain.columns) == [1, 2, 3]
    assert gain.loc[1, 2] == pytest.approx(0.2 + 0.1)
    assert gain.loc[8, 3] == pytest.approx(0.3 - 0.35 + 0.1)
    assert list(effects.by_arm) == [f"arm {n}" for n in range(1, 3)]
    assert effects.by_arm["arm 1"].loc[3, 1] == pytest.approx(0.03 + 0.1)


def test_files(clips: pd.DataFrame, tmp_path: Path) -> None:
    paths = dilution_matrices.make(clips, tmp_path, heads=True)[-3:]

    assert [p.name for p in paths] == [f"dilution_heads.{k}" for k in ("pdf", "png", "csv")]
    held = pd.read_csv(paths[2])
    assert len(held) == (3 + 2) * 8 * 3 and np.isfinite(held["mean"]).all()


def test_nothing_to_show_makes_no_files(clips: pd.DataFrame, tmp_path: Path) -> None:
    other = clips[clips["quantity"] == "entropy"]
    assert dilution_matrices.make(other, tmp_path, heads=True) == []
    assert not list(tmp_path.iterdir())


def test_without_any_effect_gains_stand_alone(clips: pd.DataFrame, tmp_path: Path) -> None:
    deaf = clips[clips["arm"] == "arm 0"]
    paths = dilution_matrices.make(deaf, tmp_path, heads=True)
    assert set(pd.read_csv(paths[-1])["quantity"]) == {"gain"}


@pytest.fixture
def injected() -> pd.DataFrame:
    def effects(at: Iterable[int]) -> Rows:
        reached = lambda at, site, **_: 0.6 if site >= at else 0.0  # noqa: E731
        return at_sites("js", "swapped", reached, at=at, clips=("a", "b", "c"))

    return over_clips({"ours": effects(range(4)), "token": effects([0])})


def test_matrices_of_arms_that_inject(injected: pd.DataFrame, tmp_path: Path) -> None:
    numbers = dilution_matrices.collect_sites(injected)
    assert list(numbers.by_arm) == ["ours"]
    np.testing.assert_allclose(numbers.by_arm["ours"], 0.6 * np.triu(np.ones((3, 3))))

    paths = dilution_matrices.make(injected, tmp_path)
    assert [p.name for p in paths] == [f"site_matrix.{k}" for k in ("pdf", "png", "csv")]
    held = pd.read_csv(paths[2])
    assert list(held) == ["arm", "swapped_at", "site", "effect"]
    assert len(held) == 9 and held["effect"].sum() == pytest.approx(6 * 0.6)


def test_no_matrix_without_injection(injected: pd.DataFrame, tmp_path: Path) -> None:
    token = injected[injected["arm"] == "token"]
    assert dilution_matrices.make(token, tmp_path) == []
