"""The page as Chromium has it: clicks, boxes, time, sound, a phone, a keyboard, no network."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("starlette", reason="the extra 'demo' is not installed")

from auralsam2.data.example import example_clip

READY = "document.getElementById('status').textContent === 'All frames have masks.'"
CANVAS = "document.querySelector('.stage canvas')"
SHARE = "document.querySelector('.stage figcaption span').textContent"
SHARES = "[...document.querySelectorAll('.stage figcaption span')].map(e => e.textContent)"
ERROR = "document.getElementById('error')"


@pytest.fixture
def page(browser: Any, client: Any) -> Iterator[Any]:
    """The page of one run, the example open, all its masks there."""
    browser.look(1300, 1000)
    browser.open(f"http://127.0.0.1:{client.port}/")
    browser.wait(READY)
    yield browser
    browser.open("about:blank")


def at(page: Any, x: float, y: float, stage: int = 0) -> tuple[float, float]:
    """Where a place of the picture is in the window."""
    canvas = f"document.querySelectorAll('.stage canvas')[{stage}]"
    page.run(f"{canvas}.scrollIntoView({{block: 'center'}})")
    box = f"(b => [b.left, b.top, b.width, b.height])({canvas}.getBoundingClientRect())"
    left, top, width, height = page.run(box)
    return left + x * width, top + y * height


def colour(page: Any, x: float, y: float) -> list[int]:
    """The pixel that is seen at a place of the picture."""
    pixel = f"getContext('2d').getImageData(c.width * {x}, c.height * {y}, 1, 1).data"
    return page.run(f"(c => [...c.{pixel}])({CANVAS})")


def press(page: Any, name: str) -> None:
    page.run(f"document.getElementById('{name}').click()")


def choose(page: Any, file: Path) -> None:
    """Open a file."""
    document = page.call("DOM.getDocument")["root"]["nodeId"]
    field = page.call("DOM.querySelector", nodeId=document, selector="#file")["nodeId"]
    page.call("DOM.setFileInputFiles", nodeId=field, files=[str(file)])


def test_a_click_on_the_picture_changes_the_mask(page: Any, predictor: Any) -> None:
    assert page.run(SHARE) == "predicted IoU 0.75, 50.0 % of the picture"
    grey = colour(page, 0.75, 0.5)
    assert len(set(grey[:3])) == 1, "nothing is drawn where there is no mask"
    assert len(set(colour(page, 0.25, 0.5)[:3])) > 1
    page.mouse(at(page, 0.75, 0.5))
    page.wait(f"{SHARE} !== 'predicted IoU 0.75, 50.0 % of the picture'")
    page.wait(READY)
    _, frame, obj_id, [((x, y), label)], box = next(c for c in predictor.calls if c[0] == "prompt")
    assert (frame, obj_id, label, box) == (0, 1, 1, None)
    assert (x, y) == (pytest.approx(36, abs=0.2), pytest.approx(16, abs=0.2))
    larger = float(page.run(SHARE).split()[3])
    assert 56 < larger < 60  # half the picture and a disc
    assert len(set(colour(page, 0.75, 0.6)[:3])) > 1
    page.run("document.querySelector('[value=negative]').click()")
    page.mouse(at(page, 0.25, 0.5))
    page.wait(f"parseFloat({SHARE}.split(' ')[3]) < {larger}")
    press(page, "clear")
    page.wait(f"{READY} && {SHARE} === 'predicted IoU 0.75, 50.0 % of the picture'")
    assert [text for text in page.said if "willReadFrequently" not in text] == []  # of this test


def test_a_dragged_box_prompts_the_object_that_is_chosen(page: Any, predictor: Any) -> None:
    press(page, "add")
    page.wait("document.querySelectorAll('#objects li').length === 2")
    page.run("document.querySelector('[value=box]').click()")
    page.mouse(at(page, 0.6, 0.25), at(page, 0.7, 0.3), at(page, 0.9, 0.75))
    page.wait(f"{SHARE}.includes('2: predicted') && {READY}")
    _, frame, obj_id, points, box = next(c for c in predictor.calls if c[0] == "prompt")
    assert (frame, obj_id, points) == (0, 2, [])
    assert box == pytest.approx([0.6 * 48, 8, 0.9 * 48, 24], abs=0.3)
    page.run("document.querySelector('#objects li:first-child [type=checkbox]').click()")
    page.wait(f"!{SHARE}.includes('1: ')")
    assert ("remove", 1) in predictor.calls
    page.run("document.querySelectorAll('#objects li button')[1].click()")
    page.wait("document.querySelectorAll('#objects li').length === 1")
    assert page.run(SHARE) == "no mask"
    assert page.run("document.getElementById('status').textContent").startswith("Click on the")


def test_time_goes_on_with_the_sound_and_by_frames(page: Any) -> None:
    press(page, "play")
    page.wait("document.getElementById('sound').currentTime > 0.5")
    page.wait("Number(document.getElementById('frame').value) >= 2")
    assert page.run("document.getElementById('play').textContent") == "Pause"
    press(page, "play")
    frame = page.run("Number(document.getElementById('frame').value)")
    press(page, "forward")
    assert page.run("Number(document.getElementById('frame').value)") == frame + 1
    assert page.run("document.getElementById('sound').currentTime") == pytest.approx(
        (frame + 1) / 5, abs=0.02
    )
    page.run("document.getElementById('frame').focus()")
    page.press("End", 35)
    page.wait("document.getElementById('time').textContent === 'frame 10 of 10, 1.80 s'")
    assert page.said == []


def test_a_keyboard_can_click(page: Any, predictor: Any) -> None:
    page.run(f"{CANVAS}.focus()")
    for key, code in (("ArrowRight", 39), ("ArrowRight", 39), ("ArrowUp", 38)):
        page.press(key, code)
    page.press("Enter", 13, "\r")
    page.wait(f"{READY} && !{SHARE}.includes('50.0 %')")
    points = next(c for c in predictor.calls if c[0] == "prompt")[3]
    assert points == [(pytest.approx([0.52 * 48, 0.49 * 32], abs=1e-4), 1)]
    page.press("Delete", 46)
    page.wait(f"{READY} && {SHARE}.includes('50.0 %')")
    assert page.run(f"{CANVAS}.getAttribute('aria-label')").startswith("run, frame 1: predicted")


def test_a_click_beside_the_sound_encodes_no_frame_again(
    browser: Any, start_server: Any, mini: Any
) -> None:
    encoded: list[int] = []
    mini.image_encoder.register_forward_hook(lambda *_: encoded.append(1))
    port = start_server({"mini": mini}, example=example_clip())
    browser.look(1300, 1000)
    browser.open(f"http://127.0.0.1:{port}/")
    browser.wait(READY)
    assert len(encoded) == 35
    frame = "document.getElementById('frame')"
    browser.run(f"{frame}.value = 12; {frame}.dispatchEvent(new Event('input'))")
    press(browser, "add")
    browser.wait("document.querySelectorAll('#objects li').length === 2")
    browser.mouse(at(browser, 0.8, 0.33))  # the disc
    browser.wait(f"{SHARE}.includes('2: predicted') && {READY}")
    share = float(browser.run(f"{SHARE}.split('2: predicted IoU')[1].split(' ')[2]"))
    assert 2 < share < 8, "the disc has 6.6 % of the picture"
    assert len(encoded) == 35
    assert browser.said == [] and browser.run(f"{ERROR}.hidden")
    browser.open("about:blank")


def test_two_runs_stand_side_by_side_and_below_each_other_on_a_phone(
    browser: Any, start_server: Any, new_predictor: Any
) -> None:
    port = start_server({"first": new_predictor(), "second": new_predictor()})
    url = f"http://127.0.0.1:{port}/"
    tops = "[...document.querySelectorAll('.stage')].map(e => e.getBoundingClientRect().top)"
    for width, dark in ((1300, False), (390, True)):
        browser.look(width, dark=dark)
        browser.open(url)
        browser.wait(READY)
        first, second = browser.run(tops)
        assert (first == second) == (width == 1300)
        assert browser.run("document.documentElement.scrollWidth <= innerWidth")
        assert browser.said == []
        assert {u for u in browser.loaded if not u.startswith((url, "blob:"))} == set()
    browser.mouse(at(browser, 0.75, 0.5, stage=1))
    browser.wait(f"{READY} && {SHARES}.every(text => !text.includes('50.0 %'))")
    assert len(set(browser.run(SHARES))) == 1
    browser.open("about:blank")


def test_a_recording_is_opened(page: Any) -> None:
    press(page, "record")
    page.wait("document.getElementById('recorder').open")
    press(page, "start")
    page.wait("parseFloat(document.getElementById('recorded').textContent) > 1.2")
    press(page, "start")
    page.wait("document.getElementById('clip-name').textContent.startsWith('recording.')")
    page.wait(READY)
    assert page.run(f"{ERROR}.hidden"), page.run(f"{ERROR}.textContent")
    # A busy machine records fewer frames than a second has.
    assert page.run("Number(document.getElementById('frame').max)") >= 1


def test_a_file_that_is_no_video_is_told_and_the_clip_stays(page: Any, tmp_path: Path) -> None:
    (tmp_path / "notes.mp4").write_text("no video")
    choose(page, tmp_path / "notes.mp4")
    page.wait(f"!{ERROR}.hidden")
    assert page.run(f"{ERROR}.textContent").startswith("'notes.mp4' is no video")
    assert page.run("document.getElementById('clip-name').textContent") == "example.mp4"
    page.wait(READY)


def test_the_page_has_the_colours_of_the_reports() -> None:
    root = Path(__file__).resolve().parents[3]
    page = (root / "auralsam2/demo/page/page.css").read_text().partition("* {")[0]
    report = (root / "analysis/templates/report.css.j2").read_text().partition("* {")[0]
    rules = [text[text.index(":root") :] for text in (page, report)]
    assert rules[0] == rules[1] and rules[0].count("--") == 18


def test_an_export_says_how_far_it_is_and_is_downloaded(
    page: Any, predictor: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on, fast = threading.Event(), predictor.propagate_in_video

    def waits_behind_the_fifth(*arguments: Any, **more: Any) -> Iterator[Any]:
        for number, found in enumerate(fast(*arguments, **more)):
            yield found
            assert number != 4 or go_on.wait(30)

    monkeypatch.setattr(predictor, "propagate_in_video", waits_behind_the_fifth)
    folder = {"behavior": "allow", "downloadPath": str(tmp_path)}
    page.call("Page.setDownloadBehavior", **folder)
    press(page, "export")
    page.wait("document.getElementById('status').textContent.endsWith('tables, 25 %')")
    assert page.run("document.getElementById('progress').value") == 0.25
    go_on.set()
    page.wait("document.getElementById('status').textContent === 'Exported.'")
    page.wait(lambda: (tmp_path / "example-masks.zip").exists())
    assert page.said == [] and page.run(f"{ERROR}.hidden")


def test_another_rate_after_a_reload_keeps_the_clip_of_its_owner(
    page: Any, write_video: Any, tmp_path: Path
) -> None:
    choose(page, write_video(tmp_path / "Ärger 1.mp4", seconds=1))
    page.wait(f"{READY} && document.getElementById('clip-name').textContent === 'Ärger 1.mp4'")
    rate = "document.getElementById('fps')"
    page.run(f"{rate}.value = '10'; {rate}.dispatchEvent(new Event('change'))")
    page.wait("document.getElementById('time').textContent.startsWith('frame 1 of 10,')")
    page.open(f"{page.run('location.href')}")
    page.wait(READY)
    assert page.run(f"{rate}.value") == "10"
    page.mouse(at(page, 0.75, 0.5))
    page.wait(f"{READY} && !{SHARE}.includes(' 50.0 %')")
    page.run(f"{rate}.value = '2'; {rate}.dispatchEvent(new Event('change'))")
    page.wait(f"{READY} && document.getElementById('frame').max === '1'")
    assert page.run("document.getElementById('clip-name').textContent") == "Ärger 1.mp4"
    assert " 50.0 %" not in page.run(SHARE), "the click has stayed"
    assert page.run(f"{ERROR}.hidden") and page.said == []


def test_a_file_beyond_the_limit_is_told_before_it_is_sent(
    browser: Any, start_server: Any, predictor: Any, tmp_path: Path
) -> None:
    port = start_server({"run": predictor}, upload_mb=1)
    browser.open(f"http://127.0.0.1:{port}/")
    browser.wait(READY)
    (tmp_path / "large.mp4").write_bytes(bytes(1_000_001))
    choose(browser, tmp_path / "large.mp4")
    browser.wait(f"!{ERROR}.hidden && {READY}")
    assert browser.run(f"{ERROR}.textContent").startswith("'large.mp4' is larger than 1 MB")
    assert not any("api/clip?" in url for url in browser.loaded)
    browser.open("about:blank")
