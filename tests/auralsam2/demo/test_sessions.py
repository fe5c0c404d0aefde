"""Few sessions at a time: the one that was used longest ago goes, with its files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from auralsam2.demo.sessions import MOST_SESSIONS, Sessions


def test_the_session_that_was_used_longest_ago_goes(
    tmp_path: Path, write_video: Any, predictor: Any
) -> None:
    video = write_video(tmp_path / "a.mp4", seconds=1)
    (tmp_path / "server").mkdir()
    sessions = Sessions({"run": predictor}, tmp_path / "server")
    secrets = []
    for _ in range(MOST_SESSIONS):
        secrets.append(sessions.start())
        sessions.find(secrets[-1]).load(video, "a", 5)
    assert len(set(secrets)) == MOST_SESSIONS == predictor.open and min(map(len, secrets)) > 40
    left, used = sessions.find(secrets[1]), sessions.find(secrets[0])
    for secret in (*secrets[2:], secrets[0]):
        sessions.find(secret)
    empty = sessions.start()
    assert sessions.find(secrets[1]) is None and left.closed and not left.folder.exists()
    assert sessions.find(secrets[0]) is used and used.folder.exists()
    assert sessions.find(None) is None and sessions.find("guess") is None
    assert predictor.open == MOST_SESSIONS - 1
    sessions.start()  # a clip is not given up where a session has none
    assert sessions.find(empty) is None and predictor.open == MOST_SESSIONS - 1
    sessions.close()
    assert predictor.open == 0 and list((tmp_path / "server").iterdir()) == []
