from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F

from auralsam2.data.images import JPEG_END, Resizing, image_size, lacks_data, read_image
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


def picture(kind: str, quality: int = 95, progressive: bool = False) -> bytes:
    noise = np.random.default_rng(0).integers(0, 256, (41, 50, 3), np.uint8)
    pixels = {"noise": noise, "grey": np.full_like(noise, 128), "levels": noise[..., 0]}[kind]
    flags = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_PROGRESSIVE, int(progressive)]
    return cv2.imencode(".jpg", pixels, flags)[1].tobytes()


def lacking(content: bytes) -> bool:
    flags = cv2.IMREAD_UNCHANGED
    decoded = cv2.imdecode(np.frombuffer(content, np.uint8), flags)
    return lacks_data(content, np.full((1, 1), 128) if decoded is None else decoded, flags)


def cut(content: bytes) -> Iterator[bytes]:
    return (content[:kept] for kept in range(2, len(content) - 1, 97))


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("trailing", [b"", b"\0\0", b"\xff\xd8\xff\xe1 of a second picture"])
def test_a_picture_has_an_end_behind_its_beginning(progressive: bool, trailing: bytes) -> None:
    content = picture("noise", progressive=progressive)
    assert not lacking(content + trailing)
    assert all(map(lacking, cut(content)))
    thumbnail = picture("noise", quality=20)
    header = b"\xff\xe1" + (len(thumbnail) + 2).to_bytes(2, "big") + thumbnail
    within = content[:2] + header + content[2:]
    assert not lacking(within)
    assert all(map(lacking, cut(within)))


@pytest.mark.parametrize("kind", ["noise", "grey", "levels"])
def test_data_that_end_before_the_picture_are_found_where_an_end_is_put(kind: str) -> None:
    content = picture(kind)
    assert not lacking(content)
    begin = content.rindex(b"\xff\xda") + 20
    places = range(begin, len(content) - 2 - (len(content) - begin) // 5, 7)
    assert all(lacking(content[:place] + JPEG_END) for place in places)


@pytest.mark.parametrize("how", ["bilinear", "bicubic"])
def test_enlarged_frames_are_torchs(how: str) -> None:
    images = np.random.default_rng(0).integers(60, 190, (2, 9, 12, 3), dtype=np.uint8)
    resized = Resizing(40, frames=how).resize_frames(images)
    tensor = torch.from_numpy(images).permute(0, 3, 1, 2).float()
    # Antialias does nothing to what grows, but brings torch's kernel to a = -0.5.
    expected = F.interpolate(tensor, size=(40, 40), mode=how, antialias=True).clamp(0, 255)
    difference = expected - torch.from_numpy(resized).float()
    assert resized.dtype == np.uint8 and difference.abs().max() < 1.5


def test_labels_keep_their_levels_or_grow() -> None:
    label = np.zeros((1, 8, 8), np.uint8)
    label[0, 3:5, 3:5] = 255
    nearest = Resizing(32).resize_labels(label) > 0
    bilinear = Resizing(32, labels="bilinear").resize_labels(label) > 0
    assert nearest.sum() == 8 * 8 and nearest[0, 12:20, 12:20].all()
    # Half a pixel of the picture, 2 of the result.
    assert bilinear.sum() == 12 * 12 and bilinear[0, 10:22, 10:22].all()


def test_settings_are_checked() -> None:
    assert Resizing(8, "bicubic", "bilinear").problems() == []
    problems = Resizing(8, "nearest", "bicubic").problems()
    assert problems == [
        "unknown frame_interpolation='nearest'; known: bilinear, bicubic",
        "unknown mask_interpolation='bicubic'; known: nearest, bilinear",
    ]
