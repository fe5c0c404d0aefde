from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from analysis.figures import style
from analysis.figures.segmented import sheet, write_sheet
from auralsam2.segment.outputs import Glance
from auralsam2.segment.overlay import colour_of


def glance(num_frames: int = 4, size: tuple[int, int] = (36, 64), **other: object) -> Glance:
    times = tuple(np.linspace(0, 90, num_frames))
    areas = np.stack([np.linspace(0.1, 0.3, 10), np.zeros(10)]).astype(np.float32)
    pictures = tuple(np.full((*size, 3), 10 * n, np.uint8) for n in range(num_frames))
    known = dict(
        name="concert.mp4", times=times, pictures=pictures, drawn=pictures, objects=(1, 2),
        areas=areas, all_times=np.arange(10) * 10.0, end=100.0,
        waveform=np.stack([np.full(50, -0.2), np.full(50, 0.4)], axis=1),
    )  # fmt: skip
    return Glance(**{**known, **other})


def drawn(shown: Glance) -> Figure:
    with style.paper_style():
        return sheet(shown)


def test_frames_stand_above_their_masks_with_their_times() -> None:
    figure = drawn(glance())
    panels = figure.axes
    assert len(panels) == 4 + 4 + 2
    assert [panel.get_title() for panel in panels[:4]] == [
        "0.00 s", "30.00 s", "1:00.00", "1:30.00",
    ]  # fmt: skip
    for above, below in zip(panels[:4], panels[4:8], strict=True):
        assert above.get_position().x0 == below.get_position().x0
        assert above.get_position().y0 > below.get_position().y1
    height, width = figure.get_size_inches()[::-1]
    box = panels[0].get_position()
    assert box.width * width / (box.height * height) == pytest.approx(64 / 36)


def test_sound_and_areas_lie_over_one_axis_of_time() -> None:
    figure = drawn(glance())
    sound, areas = figure.axes[-2:]
    assert sound.get_xlim() == areas.get_xlim() == (0, 100)
    lines = {line.get_label(): line for line in areas.lines}
    first = lines["object 1"]
    np.testing.assert_allclose(first.get_ydata()[:10], np.linspace(0.1, 0.3, 10), rtol=1e-6)
    assert first.get_color() == tuple(level / 255 for level in colour_of(1))
    marks = [line.get_xdata()[0] for line in sound.lines]
    assert marks == pytest.approx([0, 30, 60, 90])
    low, high = sound.get_ylim()
    assert low < -0.2 and high > 0.4


def test_without_sound_there_is_no_waveform() -> None:
    assert len(drawn(glance(waveform=None)).axes) == 4 + 4 + 1


@pytest.mark.parametrize(
    ("num_frames", "size"), [(1, (480, 270)), (1, (64, 480)), (6, (480, 200)), (2, (30, 480))]
)
def test_any_shape_fits_on_the_page(num_frames: int, size: tuple[int, int]) -> None:
    figure = drawn(glance(num_frames, size))
    assert figure.get_figheight() < 7
    for panel in figure.axes:
        box = panel.get_position()
        assert 0 <= box.x0 < box.x1 <= 1 and 0 <= box.y0 < box.y1 <= 1


@pytest.mark.parametrize("name", ["ä b$$c.mp4", "x" * 300 + ".mp4", "日本語.mp4", "\udcff\n.mp4"])
def test_any_name_is_its_title(name: str, tmp_path: Path) -> None:
    write_sheet(glance(2, name=name), tmp_path / "sheet.png")
    with Image.open(tmp_path / "sheet.png") as image:
        assert image.width == pytest.approx(style.WIDTHS["page"] * style.PNG_DPI, abs=1)
    title = drawn(glance(2, name=name)).texts[0].get_text()
    assert title.replace("\n", "").replace(" ", "") == name.replace("\n", "").replace(" ", "")
