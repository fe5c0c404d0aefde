from __future__ import annotations

import os

import cv2
import numpy as np
import pytest

from auralsam2.data.jpeg import ends_early, heard_damage


def noise(quality: int = 95, progressive: bool = False) -> bytes:
    picture = np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8)
    flags = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_PROGRESSIVE, int(progressive)]
    return cv2.imencode(".jpg", picture, flags)[1].tobytes()


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("trailing", [b"", b"\0\0", b"\xff\xd8\xff\xe1 of a second picture"])
def test_a_picture_has_an_end_behind_its_beginning(progressive: bool, trailing: bytes) -> None:
    content = noise(progressive=progressive)
    assert not ends_early(content + trailing)
    for kept in range(2, len(content) - 1, 97):
        assert ends_early(content[:kept])
    thumbnail = noise(quality=20)
    header = b"\xff\xe1" + (len(thumbnail) + 2).to_bytes(2, "big") + thumbnail
    within = content[:2] + header + content[2:]
    assert not ends_early(within)
    assert all(ends_early(within[:kept]) for kept in range(2, len(within) - 1, 97))


def test_damage_is_heard_and_everything_else_passed_on(capfd: pytest.CaptureFixture[str]) -> None:
    said = (
        b"epoch 1\nCorrupt JPEG data: premature end of data segment\nepoch 2\n",
        b"Corrupt JPEG data: 12 extraneous bytes before marker 0xd9\n",
        b"Corrupt JPEG data: 1200 extraneous bytes before marker 0xd9\n",
        b"epoch 3",
        b"",
    )
    heard = []
    for text in said:
        with heard_damage() as damage:
            os.write(2, text)
        heard.append(damage.text)
    assert heard == [
        "Corrupt JPEG data: premature end of data segment",
        "",
        "Corrupt JPEG data: 1200 extraneous bytes before marker 0xd9",
        "",
        "",
    ]
    assert capfd.readouterr().err == "epoch 1\nepoch 2\nepoch 3"


def test_an_error_while_listening_gives_standard_error_back(capfd) -> None:
    with pytest.raises(KeyError), heard_damage():
        raise KeyError
    os.write(2, b"still here")
    assert capfd.readouterr().err == "still here"
