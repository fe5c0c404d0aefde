"""Label pictures of every kind, for every reader: read right, or named with their file."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import NamedTuple

import cv2
import numpy as np
import pytest
from PIL import Image

from auralsam2.data.problems import DataError

from ..trees import MASK, TREES, Tree

GREY = MASK * np.uint8(255)
RED = MASK[..., None] * np.array([128, 0, 0], np.uint8)
NOISE = np.random.default_rng(0).integers(0, 9, MASK.shape, np.uint8)
NOTHING = np.zeros_like(MASK)
COLOURS = "unknown_label_value"
"""White and grey are no colours of classes, and a check against them may say so."""


def png(picture: np.ndarray | Image.Image, mode: str | None = None, **settings: object) -> bytes:
    """Encode RGB, grey levels or a Pillow image."""
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture, mode)
    file = io.BytesIO()
    image.save(file, "PNG", **settings)
    return file.getvalue()


def png16(picture: np.ndarray) -> bytes:
    return cv2.imencode(".png", picture.astype(np.uint16))[1].tobytes()


def palette(red: int = 128, **settings: object) -> bytes:
    image = Image.fromarray(MASK, "P")
    image.putpalette([0, 0, 0, red, 0, 0])
    return png(image, **settings)


def with_alpha(colours: np.ndarray, alpha: np.ndarray) -> bytes:
    return png(np.dstack([colours, alpha]))


def held(orientation: int) -> bytes:
    """Red rows 4 to 11 once the picture is turned as it asks."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    turned = {3: RED[::-1, ::-1], 6: np.rot90(RED), 8: np.rot90(RED, -1)}
    return png(np.ascontiguousarray(turned[orientation]), exif=exif)


def jpeg(levels: np.ndarray) -> bytes:
    return cv2.imencode(".jpg", levels, [cv2.IMWRITE_JPEG_QUALITY, 60])[1].tobytes()


def decoded(content: bytes) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_GRAYSCALE)


class Kind(NamedTuple):
    """A kind of label picture.

    Attributes:
        content: of the file.
        mask: that every reader gets; None where all refuse the file.
        told: kinds of finding of which a check reports at least one, none where all is right.
        may: kinds of finding that it may report besides.
    """

    content: Callable[[], bytes]
    mask: np.ndarray | None
    told: str = ""
    may: str = COLOURS


SMOOTH = cv2.GaussianBlur(GREY, (5, 5), 0)
UNREADABLE = "unreadable_image"
KINDS = {
    "1 bit": Kind(lambda: png(Image.fromarray(GREY).convert("1")), MASK),
    "grey of 1": Kind(lambda: png(MASK), MASK),
    "grey of 255": Kind(lambda: png(GREY), MASK),
    "16 bits, 1": Kind(lambda: png16(MASK), MASK),
    "16 bits, 255": Kind(lambda: png16(GREY), MASK),
    "16 bits, 65535": Kind(lambda: png16(MASK * 65_535.0), MASK),
    "16 bits, 1000": Kind(lambda: png16(MASK * 1000.0), None, UNREADABLE),
    "16 bits, colours": Kind(lambda: png16(RED[..., ::-1] * 257.0), MASK, may=""),
    "palette": Kind(palette, MASK, may=""),
    "palette of 2 bits": Kind(lambda: palette(bits=2), MASK, may=""),
    "palette, black transparent": Kind(lambda: palette(transparency=0), MASK, may=""),
    "palette, all black": Kind(lambda: palette(red=0), None, UNREADABLE),
    "grey, black transparent": Kind(lambda: png(GREY, transparency=0), MASK),
    "grey and alpha": Kind(
        lambda: png(Image.merge("LA", [Image.fromarray(p) for p in (0 * GREY + 255, GREY)])), MASK
    ),
    "RGBA, opaque": Kind(lambda: with_alpha(RED, np.full_like(GREY, 255)), MASK, may=""),
    "RGBA, white and transparent outside": Kind(
        lambda: with_alpha(np.where(RED > 0, RED, 255 - RED), GREY), MASK
    ),
    "RGBA, all transparent": Kind(lambda: with_alpha(RED, NOTHING), None, UNREADABLE),
    "RGBA, shape in alpha alone": Kind(lambda: with_alpha(0 * RED, GREY), None, UNREADABLE),
    "RGBA, nothing": Kind(lambda: with_alpha(0 * RED, NOTHING), NOTHING, "empty_labels"),
    "turned by 180 degrees": Kind(lambda: held(3), MASK, may=""),
    "turned by 90 degrees": Kind(lambda: held(6), MASK, may=""),
    "turned by 270 degrees": Kind(lambda: held(8), MASK, may=""),
    "smooth edges": Kind(lambda: png(SMOOTH), (SMOOTH > 0).astype(np.uint8), COLOURS),
    "smooth edges, colour": Kind(
        lambda: png((SMOOTH[..., None] * [0.5, 0, 0]).round().astype(np.uint8)),
        (SMOOTH > 1).astype(np.uint8),
        COLOURS,
    ),
    "JPEG named PNG": Kind(lambda: jpeg(GREY), decoded(jpeg(GREY)), COLOURS, "inverted_labels"),
    "inverted": Kind(lambda: png(255 - GREY), 1 - MASK, "inverted_labels"),
    "object all over": Kind(lambda: png(np.full_like(GREY, 255)), 0 * MASK + 1, "inverted_labels"),
    "all black": Kind(lambda: png(NOTHING), NOTHING, "empty_labels"),
    "another size": Kind(
        lambda: png(np.kron(RED, np.ones((2, 2, 1), np.uint8))),
        np.kron(MASK, np.ones((2, 2), np.uint8)),
        "size_mismatch",
        may="",
    ),
    "cut off": Kind(lambda: png(NOISE)[:-60], None, UNREADABLE),
    "no picture": Kind(lambda: b"no picture", None, UNREADABLE),
}  # fmt: skip


@pytest.fixture(scope="module")
def trees(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Tree]:
    """One tree a reader, whose labels every test replaces."""
    return {name: plant(tmp_path_factory.mktemp(name)) for name, plant in TREES.items()}


@pytest.mark.parametrize("layout", TREES)
@pytest.mark.parametrize("name", KINDS)
def test_labels_are_read_right_or_named(trees: dict[str, Tree], name: str, layout: str) -> None:
    tree, kind = trees[layout], KINDS[name]
    for path in tree.labels.iterdir():
        path.write_bytes(kind.content())
    for rule in ("published", "released"):
        # Sound takes longest, and does not change.
        dataset = tree.read(label_rule=rule, log_mel_cache=str(tree.root / "log_mel"))
        if kind.mask is None:
            with pytest.raises(DataError) as caught:
                dataset[1]
            assert str(tree.numbered(tree.labels, tree.first)) in str(caught.value)
        else:
            read = dataset[1]["native_masks"][0].numpy()
            np.testing.assert_array_equal(read > 0, kind.mask > 0)
    of_labels = [COLOURS, UNREADABLE, "empty_labels", "inverted_labels", "size_mismatch"]
    groups = tree.check().groups
    found = {kind: groups[kind] for kind in of_labels if kind in groups}
    assert set(kind.told.split()) <= set(found) <= {*kind.told.split(), *kind.may.split()}
    folder = tree.labels.relative_to(tree.root).as_posix()
    clip = tree.labels.parent if tree.layout in ("v1s", "v1m", "v2") else tree.labels
    name_of_clip = clip.name if clip.name != "fid_1" else folder
    assert all(name_of_clip in f.where for each in found.values() for f in each)


@pytest.mark.parametrize("layout", ["v1m", "v2"])
@pytest.mark.parametrize(("name", "right"), [("palette", True), ("16 bits, colours", True),
                                             ("RGBA, opaque", True), ("grey of 255", False),
                                             ("smooth edges", False)])  # fmt: skip
def test_classes_are_read_right_or_named(
    trees: dict[str, Tree], name: str, right: bool, layout: str
) -> None:
    tree = trees[layout]
    for path in tree.labels.iterdir():
        path.write_bytes(KINDS[name].content())
    dataset = tree.read(semantic=True)
    if right:
        classes = dataset[1]["semantic"][0].numpy()
        assert set(np.unique(classes)) == {0, 1} and classes[4, 8] == 1
    else:
        with pytest.raises(DataError, match=r"labels_rgb/0\.png' has colours of no class"):
            dataset[1]
