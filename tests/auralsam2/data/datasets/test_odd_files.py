"""Files as users have them, for every reader: read right, or named, and by the check alike."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import soundfile
import torch
from PIL import Image

from auralsam2.data.problems import DataError

from ..trees import HEIGHT, NUM_FRAMES, TREES, WIDTH, Tree

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:0a\nsize 7\n"
IN_PLACE = {
    "git-lfs pointer": POINTER,
    "HTML page": b"<!DOCTYPE html><html><body>404</body></html>",
    "empty file": b"",
    "zeros only": bytes(4096),
}
"""Words of the message -> what lies in the place of a file."""


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Tree]:
    return {name: plant(tmp_path_factory.mktemp(name)) for name, plant in TREES.items()}


@pytest.fixture(params=TREES)
def tree(request: pytest.FixtureRequest, healthy: dict[str, Tree], tmp_path: Path) -> Tree:
    """A copy that a test may damage."""
    own = healthy[request.param]
    root = Path(shutil.copytree(own.root, tmp_path / "own"))
    places = ("frames", "labels", "sound", "index")
    moved = {place: root / getattr(own, place).relative_to(own.root) for place in places}
    return own._replace(root=root, **moved)


def is_wav(tree: Tree) -> bool:
    return tree.sound.suffix == ".wav"


def is_named(tree: Tree, path: Path, words: str, kind: str) -> None:
    """The reader refuses the file with these words, and the check names it with them."""
    with pytest.raises(DataError) as caught:
        tree.read()[1]
    assert str(path) in str(caught.value) and words in str(caught.value)
    found = tree.check().groups[kind]
    assert any(f.where == path.relative_to(tree.root).as_posix() for f in found) or (
        kind == "unusable_index"
    )
    assert any(words in f.detail for f in found)


@pytest.mark.parametrize("words", IN_PLACE)
def test_what_lies_in_the_place_of_a_file_is_called_by_its_name(tree: Tree, words: str) -> None:
    for path, kind in (
        (tree.sound, "unreadable_audio" if is_wav(tree) else "unreadable_log_mel"),
        (tree.numbered(tree.frames, tree.first), "unreadable_image"),
        (tree.numbered(tree.labels, tree.first), "unreadable_image"),
        (tree.index, "unusable_index"),
    ):
        whole = path.read_bytes()
        path.write_bytes(IN_PLACE[words])
        is_named(tree, path, words, kind)
        path.write_bytes(whole)


def test_what_systems_leave_changes_nothing(tree: Tree) -> None:
    before = tree.read()
    for folder in (tree.frames, tree.labels, tree.sound.parent):
        for name in ("._0.jpg", "._1.png", ".DS_Store", "Thumbs.db", "desktop.ini"):
            (folder / name).write_bytes(b"\0\5\x16\7")
    after = tree.read()
    assert after.fingerprint() == before.fingerprint() and tree.check().healthy
    assert torch.equal(after[1]["frames"], before[1]["frames"])


def test_frames_end_as_users_write_them(tree: Tree) -> None:
    before = tree.read()[1]["frames"]
    for number, suffix in enumerate((".JPG", ".jpeg", ".png", ".PNG")):
        path = tree.numbered(tree.frames, tree.first + number)
        picture = cv2.imread(str(path))
        path.unlink()
        lossless = suffix.lower() == ".png"
        encoded = cv2.imencode(suffix, picture, [] if lossless else [cv2.IMWRITE_JPEG_QUALITY, 100])
        path.with_suffix(suffix).write_bytes(encoded[1].tobytes())
    after = tree.read()[1]["frames"]
    assert (after.float() - before.float()).abs().max() <= 3 and tree.check().healthy


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_frames_are_upright(tree: Tree, orientation: int) -> None:
    before = tree.read()[1]["frames"]
    path = tree.numbered(tree.frames, tree.first)
    upright = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
    turned = np.rot90(upright, {3: 2, 6: 1, 8: -1}[orientation])
    exif = Image.Exif()
    exif[0x0112] = orientation
    settings = dict(quality=100) if path.suffix == ".jpg" else {}
    Image.fromarray(np.ascontiguousarray(turned)).save(path, exif=exif, **settings)
    after = tree.read()[1]["frames"]
    assert (after.float() - before.float()).abs().max() <= 3 and tree.check().healthy


def test_labels_that_are_not_turned_as_their_frames_are_named(tree: Tree) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    for path in tree.frames.iterdir():
        with Image.open(path) as frame:
            frame.copy().save(path, exif=exif)
    for transforms in ([], [dict(type="RandomClipFlip")]):
        with pytest.raises(DataError, match=rf"'{tree.labels}.* has {HEIGHT} rows.* turned"):
            tree.read(transforms=transforms)[1]
    assert "size_mismatch" in tree.check().groups


def _noise_jpeg(thumbnail: bool = False) -> bytes:
    noise = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    content = cv2.imencode(".jpg", noise)[1].tobytes()
    if not thumbnail:
        return content
    inner = b"Exif\0\0" + cv2.imencode(".jpg", np.tile(noise, (5, 5, 1)))[1].tobytes()
    return content[:2] + b"\xff\xe1" + (len(inner) + 2).to_bytes(2, "big") + inner + content[2:]


BROKEN: dict[str, Callable[[], bytes]] = {
    "cut": lambda: _noise_jpeg()[:-200],
    "cut behind a thumbnail": lambda: _noise_jpeg(thumbnail=True)[:-200],
    "cut and ended": lambda: _noise_jpeg()[:-200] + b"\xff\xd9",
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_jpeg_that_decodes_with_a_warning_is_no_frame(tree: Tree, how: str) -> None:
    path = tree.numbered(tree.frames, tree.first)
    path.write_bytes(_noise_jpeg(thumbnail=True))
    assert tree.check().healthy and len(tree.read()[1]["frames"]) == NUM_FRAMES
    path.write_bytes(BROKEN[how]())
    is_named(tree, path, "cannot decode the image", "unreadable_image")


def _wav(channels: int = 2, loud: bool = True) -> np.ndarray:
    noise = np.random.default_rng(0).uniform(-0.1, 0.1, (NUM_FRAMES * 16_000, channels))
    return noise if loud else 0 * noise


def _with_sizes(riff: bytes | None, data: bytes | None) -> bytes:
    """A recording whose header states other lengths, as that of a stream."""
    file = io.BytesIO()
    soundfile.write(file, _wav(), 16_000, format="WAV", subtype="PCM_16")
    content = file.getvalue()
    at = content.index(b"data") + 4
    content = content[:4] + (riff or content[4:8]) + content[8:]
    return content[:at] + (data or content[at : at + 4]) + content[at + 4 :]


NONE, ALL = bytes(4), b"\xff" * 4


@pytest.mark.parametrize(("riff", "data"), [(NONE, None), (ALL, ALL), (ALL, None)])
def test_sound_of_a_stream_is_read_whole(tree: Tree, riff: bytes, data: bytes | None) -> None:
    if is_wav(tree):
        tree.sound.write_bytes(_with_sizes(None, None))
        expected = tree.read()[1]["log_mel"]
        tree.sound.write_bytes(_with_sizes(riff, data))
        assert torch.equal(tree.read()[1]["log_mel"], expected) and tree.check().healthy


def test_sound_that_cannot_be_right_is_named(tree: Tree) -> None:
    if not is_wav(tree):
        return
    for riff in (None, NONE):
        tree.sound.write_bytes(_with_sizes(riff, NONE))
        is_named(tree, tree.sound, "its header states no length", "unreadable_audio")
    surround = _wav(6)
    surround[:, :2] = 0
    soundfile.write(tree.sound, surround, 16_000)
    is_named(tree, tree.sound, "6 channels, of which the first two", "unreadable_audio")
    tree.sound.write_bytes(_with_sizes(None, None)[:-16_000])
    is_named(tree, tree.sound, "is cut short: ", "unreadable_audio")
    tree.sound.rename(tree.sound.with_suffix(".WAV"))
    is_named(tree, tree.sound, f"rename '{tree.sound.stem}.WAV'", "missing_audio")


def test_sound_that_ends_early_is_read_with_silence_behind_and_told(tree: Tree) -> None:
    if is_wav(tree):
        soundfile.write(tree.sound, _wav()[: (NUM_FRAMES - 1) * 16_000], 16_000)
        *heard, last = tree.read()[1]["log_mel"]
        assert last.unique().tolist() == pytest.approx([np.log(0.01)])
        assert all(example.std() > 0.1 for example in heard)
        assert "short_audio" in tree.check().groups


def test_silence_where_objects_sound_is_told(tree: Tree) -> None:
    if is_wav(tree):
        soundfile.write(tree.sound, _wav(loud=False), 16_000)
        assert tree.read()[1]["log_mel"].unique().tolist() == pytest.approx([np.log(0.01)])
        (found,) = tree.check().groups["silent_audio"]
        assert found.where == tree.sound.relative_to(tree.root).as_posix()
