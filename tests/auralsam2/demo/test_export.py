"""An export holds what `auralsam2 segment` writes, for each run, and what was asked."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

pytest.importorskip("starlette", reason="the extra 'demo' is not installed")

OF_A_RUN = {"overlay.mp4", "masks.json", "scores.csv", "sheet.png"}


@pytest.fixture
def archive(visit: Any, new_predictor: Any, tmp_path: Path) -> zipfile.ZipFile:
    """Of two runs, an object that hears and one with a box."""
    client = visit({"work/A": new_predictor(), "work/B": new_predictor()})
    key = client.json("POST", "/api/example?fps=5")["clip"]["key"]
    assert client.request("GET", f"/api/clip/{key}/export.zip")[0] == 404
    client.json("POST", "/api/objects")
    client.json("POST", "/api/objects/2/box", frame=3, x0=0.5, y0=0, x1=1, y1=0.5)
    assert client.json("GET", "/api/exported") == {"share": 0}
    assert client.json("POST", "/api/export")["clip"]["key"] == key
    assert client.json("GET", "/api/exported") == {"share": 1}
    status, headers, content = client.request("GET", f"/api/clip/{key}/export.zip")
    assert status == 200 and 'filename="example-masks.zip"' in headers["content-disposition"]
    assert not [path for path in (tmp_path / "server").rglob("export") if path.is_dir()]
    return zipfile.ZipFile(io.BytesIO(content))


def test_it_holds_the_masks_of_each_run(archive: zipfile.ZipFile, tmp_path: Path) -> None:
    masks = {f"masks/{obj_id}/{frame:05d}.png" for obj_id in (1, 2) for frame in range(10)}
    files = {f"{run}/{name}" for run in (1, 2) for name in OF_A_RUN | masks}
    found = {name for name in archive.namelist() if not name.endswith("/")}
    assert found == files | {"prompts.json"}
    left, corner = (
        cv2.imdecode(np.frombuffer(archive.read(f"2/masks/{obj_id}/00007.png"), np.uint8), 0) > 0
        for obj_id in (1, 2)
    )
    assert left[:, :24].all() and not left[:, 24:].any()
    assert corner[:16, 24:].all() and corner.sum() == 16 * 24
    rows = list(csv.DictReader(io.StringIO(archive.read("1/scores.csv").decode())))
    assert len(rows) == 20 and {row["predicted_iou"] for row in rows} == {"0.7500"}
    assert archive.read("1/sheet.png") == b"example.mp4, objects (1, 2)"
    prompts = json.loads(archive.read("prompts.json"))
    assert prompts["runs"] == {"work/A": "1", "work/B": "2"} and prompts["fps"] == 5
    assert prompts["objects"][1]["frames"] == {"3": {"points": [], "box": [0.5, 0, 1, 0.5]}}


def test_its_overlay_has_pictures_and_sound_of_one_length(
    archive: zipfile.ZipFile, tmp_path: Path
) -> None:
    import av

    archive.extract("1/overlay.mp4", tmp_path)
    with av.open(str(tmp_path / "1/overlay.mp4")) as container:
        lengths = [float(s.duration * s.time_base) for s in container.streams]
        assert [s.type for s in container.streams] == ["video", "audio"]
    assert lengths == pytest.approx([2, 2], abs=0.05)


def test_there_must_be_something_to_export(client: Any) -> None:
    assert client.json("POST", "/api/export")[0] == 400
    client.json("POST", "/api/example?fps=5")
    client.json("POST", "/api/objects/1/sound", on=False, weight=1)
    status, error = client.json("POST", "/api/export")
    assert status == 400 and "no masks to export" in error
