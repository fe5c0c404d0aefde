from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import pytest

from auralsam2.data.jpeg import END, lacks_data


def picture(kind: str, quality: int = 95, progressive: bool = False) -> bytes:
    noise = np.random.default_rng(0).integers(0, 256, (41, 50, 3), np.uint8)
    pixels = {"noise": noise, "grey": np.full_like(noise, 128), "levels": noise[..., 0]}[kind]
    flags = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_PROGRESSIVE, int(progressive)]
    return cv2.imencode(".jpg", pixels, flags)[1].tobytes()


def decode(content: bytes, flags: int = cv2.IMREAD_UNCHANGED) -> np.ndarray | None:
    return cv2.imdecode(np.frombuffer(content, np.uint8), flags)


def lacking(content: bytes) -> bool:
    decoded = decode(content)
    return lacks_data(content, decode(picture("grey")) if decoded is None else decoded, decode)


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
    assert all(lacking(content[:place] + END) for place in places)
