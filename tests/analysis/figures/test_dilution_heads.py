from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.dilution.capture import COLUMNS
from analysis.dilution.indices import clip_means
from analysis.figures import dilution_heads


@pytest.fixture
def clips() -> pd.DataFrame:
    def capture(hears: bool) -> pd.DataFrame:
        listed = []
        for clip, shift in (("a", 0.0), ("b", 0.2)):
            for site in (1, 2, 3):
                for head in range(-1, 8):
                    gain = 0.1 * site - 0.05 * head + shift
                    listed.append((clip, 0, "gain", "true", 0, site, head, "mask", gain))
                    listed.append((clip, 0, "gain", "true", 0, site, head, "prompt", 9.0))
                    if hears:
                        effect = 0.01 * (head + 1) + shift
                        listed.append((clip, 0, "js", "swapped", 0, site, head, "mask", effect))
                        listed.append((clip, 0, "js", "swapped", 1, site, head, "mask", 9.0))
        return pd.DataFrame(listed, columns=list(COLUMNS))

    arms = {(f"arm {n}", 0): capture(hears=n > 0) for n in range(3)}
    return clip_means(arms)


def test_every_head_has_its_mean(clips: pd.DataFrame) -> None:
    numbers = dilution_heads.collect(clips)

    gain = numbers.matrices["gain"]["arm 0"]
    assert list(gain.index) == list(range(1, 9)) and list(gain.columns) == [1, 2, 3]
    assert gain.loc[1, 2] == pytest.approx(0.2 + 0.1)
    assert gain.loc[8, 3] == pytest.approx(0.3 - 0.35 + 0.1)
    assert list(numbers.matrices["js"]) == [f"arm {n}" for n in range(1, 3)]
    assert numbers.matrices["js"]["arm 1"].loc[3, 1] == pytest.approx(0.03 + 0.1)


def test_files(clips: pd.DataFrame, tmp_path: Path) -> None:
    paths = dilution_heads.make(clips, tmp_path)

    assert [p.name for p in paths] == [f"dilution_heads.{k}" for k in ("pdf", "png", "csv")]
    held = pd.read_csv(paths[2])
    assert len(held) == (3 + 2) * 8 * 3 and np.isfinite(held["mean"]).all()


def test_nothing_to_show_makes_no_files(clips: pd.DataFrame, tmp_path: Path) -> None:
    assert dilution_heads.make(clips[clips["quantity"] == "entropy"], tmp_path) == []
    assert not list(tmp_path.iterdir())


def test_without_any_effect_gains_stand_alone(clips: pd.DataFrame, tmp_path: Path) -> None:
    deaf = clips[clips["arm"] == "arm 0"]
    assert set(pd.read_csv(dilution_heads.make(deaf, tmp_path)[2])["quantity"]) == {"gain"}
