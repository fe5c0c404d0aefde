from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from auralsam2.data.images import image_size, read_image
from auralsam2.data.labels import LABEL_RULES
from auralsam2.data.problems import DataError


def test_the_size_comes_from_the_header(tmp_path: Path) -> None:
    path = tmp_path / "frame.jpg"
    cv2.imwrite(str(path), np.zeros((6, 9, 3), np.uint8))
    assert image_size(path) == (6, 9) == read_image(path).shape[:2]
    path.write_bytes(b"no picture")
    assert image_size(path) == (0, 0)


@pytest.mark.parametrize("ending", ["jpg", "png"])
def test_pictures_that_end_early_are_not_filled_up(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"frame.{ending}"
    noise = np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8)
    content = cv2.imencode(f".{ending}", noise)[1].tobytes()
    for trailing in (b"", b"\0\0"):
        path.write_bytes(content + trailing)
        assert read_image(path).shape == (40, 40, 3)
    path.write_bytes(content[: len(content) * 3 // 4])
    with pytest.raises(DataError, match=rf"cannot decode the image '.*frame\.{ending}'"):
        read_image(path)


@pytest.mark.parametrize("content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n\0\0"])
def test_what_cannot_be_decoded_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "label.png"
    path.write_bytes(content)
    for read in (read_image, *LABEL_RULES.values()):
        with pytest.raises(DataError, match=r"cannot decode the image '.*label\.png'"):
            read(path)
