"""The pages as Chromium has them: no error, sorting, filtering, sound, a phone, a keyboard."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

ROWS = "document.querySelectorAll('#scores tbody tr:not([hidden])')"
CELLS = f"[...{ROWS}].map(row => row.cells[0].innerText)"
HEADER = "document.querySelectorAll('#scores thead th')"


def test_pages_load_alone_and_fit_a_phone(browser: Any, pages: list[Path]) -> None:
    for page in (pages[0], pages[2]):
        for width, dark in ((1280, False), (390, True)):
            browser.look(width, dark=dark)
            browser.open(page)
            assert browser.run("document.querySelector('h1').innerText").strip()
            widths = browser.run("[document.documentElement.scrollWidth, innerWidth]")
            assert widths[0] <= widths[1], "tables scroll, the page does not"
            paper = browser.run("getComputedStyle(document.body).backgroundColor")
            assert (paper == "rgb(255, 255, 255)") != dark
            assert browser.said == []
            assert browser.loaded == [page.resolve().as_uri()]
    assert browser.run("document.querySelector('h1').innerText") == '<script>alert("x")</script>'


def test_tables_sort_and_filter(browser: Any, four_cells: Path) -> None:
    browser.look(1280)
    browser.open(four_cells)
    assert browser.run(CELLS) == ["none", "sparse", "dense", "sparse+dense"]
    browser.run(f"{HEADER}[1].querySelector('button').click()")
    assert browser.run(CELLS) == ["sparse+dense", "dense", "sparse", "none"]
    assert browser.run(f"{HEADER}[1].getAttribute('aria-sort')") == "descending"
    browser.run(f"{HEADER}[1].querySelector('button').click()")
    assert browser.run(CELLS) == ["none", "sparse", "dense", "sparse+dense"]
    browser.run(f"{HEADER}[0].querySelector('button').click()")
    assert browser.run(CELLS) == ["dense", "none", "sparse", "sparse+dense"]
    assert browser.run(f"[...{HEADER}].map(h => h.getAttribute('aria-sort'))")[:2] == [
        "ascending",
        None,
    ]
    difference = f"{HEADER}.length - 1"
    browser.run(f"{HEADER}[{difference}].querySelector('button').click()")
    assert browser.run(CELLS)[-1] == "sparse+dense", "what has no number stands last"
    field = "document.querySelector('#scores input')"
    browser.run(f"{field}.value = 'dense SPARSE'; {field}.dispatchEvent(new Event('input'))")
    assert browser.run(CELLS) == ["sparse+dense"]
    assert browser.run("document.querySelector('#scores [role=status]').innerText") == "1 of 4 rows"
    assert browser.said == []


def test_everything_can_be_done_with_a_keyboard(browser: Any, four_cells: Path) -> None:
    browser.open(four_cells)
    browser.press("Tab", 9)
    assert browser.run("document.activeElement.className") == "skip"
    assert browser.run("document.activeElement.getBoundingClientRect().left") >= 0
    browser.run(f"{HEADER}[0].querySelector('button').focus()")
    browser.press("Tab", 9)
    assert browser.run(f"document.activeElement === {HEADER}[1].querySelector('button')")
    assert browser.run("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    browser.press("Enter", 13, "\r")
    assert browser.run(CELLS)[0] == "sparse+dense"
    assert browser.run("[...document.querySelectorAll('.scroll')].every(e => e.tabIndex === 0)")


def test_sound_plays_and_marks_the_frame_that_is_heard(browser: Any, pages: list[Path]) -> None:
    browser.look(1280)
    browser.open(pages[1])
    browser.run("window.sound = document.querySelector('audio'); 0")
    browser.wait("sound.readyState >= 1")
    assert browser.run("sound.duration") == pytest.approx(2, abs=0.01)
    assert browser.run("[...document.querySelectorAll('audio')].every(a => a.error === null)")
    browser.run("sound.currentTime = 1.2; sound.play()")
    browser.wait("document.querySelectorAll('.frame.now').length === 1")
    assert browser.run("sound.closest('.clip').querySelectorAll('.frame')[1].className") == (
        "frame now"
    )
    browser.run("document.querySelectorAll('audio')[1].play()")
    browser.wait("sound.paused")
    assert browser.said == []


def test_outlines_can_be_taken_away(browser: Any, pages: list[Path]) -> None:
    browser.open(pages[1])
    for layer in ("truth", "prediction"):
        shown = f"getComputedStyle(document.querySelector('.frame .{layer}')).display !== 'none'"
        assert browser.run(shown)
        browser.run(f"document.querySelector('[data-layer={layer}]').click()")
        assert not browser.run(shown)
