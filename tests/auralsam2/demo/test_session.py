"""A session: one clip at a time, whose files and states go with it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from auralsam2.demo import session as sessions
from auralsam2.demo.session import MOST_OBJECTS, Session


@pytest.fixture
def session(tmp_path: Path, predictor: Any) -> Session:
    return Session({"run": predictor}, tmp_path / "session")


def test_a_clip_takes_the_place_of_the_one_before(
    session: Session, predictor: Any, write_video: Any
) -> None:
    first = write_video(session.new_folder() / "clip.mp4", seconds=1)
    session.load(first, "first", 5)
    session.clip.frames.jpeg(2)
    second = write_video(session.new_folder() / "clip.mp4", seconds=2)
    session.load(second, "second", 1)
    assert not first.parent.exists() and second.exists() and predictor.open == 1
    assert session.clip.times == [0, 1] and session.clip.seconds == 2
    broken = session.new_folder() / "clip.mp4"
    broken.write_bytes(b"\0" * 999)
    with pytest.raises(ValueError, match="'third'"):
        session.load(broken, "third", 1)
    assert not broken.parent.exists() and session.clip.name == "second" and predictor.open == 1
    session.close()
    assert predictor.open == 0 and not session.folder.exists()


def test_a_clip_of_too_many_frames_is_refused(
    session: Session, predictor: Any, write_video: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "MOST_FRAMES", 9)
    path = write_video(session.new_folder() / "clip.mp4", seconds=1)
    with pytest.raises(ValueError, match="has 10 frames, this page takes up to 9: choose fewer"):
        session.load(path, "clip", None)
    assert predictor.open == 0 and session.clip is None


def test_objects_are_few_and_need_a_clip(session: Session, write_video: Any) -> None:
    with pytest.raises(ValueError, match="load a clip first"):
        session.add_object()
    session.load(write_video(session.new_folder() / "clip.mp4", seconds=1), "clip", 1)
    assert [session.add_object() for _ in range(MOST_OBJECTS - 1)] == [*range(2, MOST_OBJECTS + 1)]
    with pytest.raises(ValueError, match="remove one first"):
        session.add_object()
    session.remove_object(3)
    assert session.add_object() == MOST_OBJECTS + 1
