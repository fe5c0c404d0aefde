"""What the page asks its server, as requests: clips, clicks, masks, errors, limits."""

from __future__ import annotations

import io
import json
import re
import threading
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import soundfile

pytest.importorskip("starlette", reason="the extra 'demo' is not installed")

PAGE = Path(__file__).parents[3] / "auralsam2" / "demo" / "page"


def test_the_example_opens_with_masks_that_the_sound_proposes(client: Any, pixels: Any) -> None:
    state = client.json("POST", "/api/example?fps=5")
    assert state["runs"] == ["run"] and state["clip"]["name"] == "example.mp4"
    assert state["clip"]["times"] == pytest.approx(np.arange(10) / 5)
    assert (state["clip"]["width"], state["clip"]["height"]) == (48, 32)
    assert [o["id"] for o in state["objects"]] == [1] and state["objects"][0]["sound"]
    found = client.masks()
    assert [line["frame"] for line in found] == list(range(10))
    mask = pixels(found[3]["objects"]["1"])
    assert mask[:, :24].all() and not mask[:, 24:].any()
    assert (found[3]["objects"]["1"]["iou"], found[3]["objects"]["1"]["score"]) == (0.75, 3.0)


def test_frames_and_sound_are_those_of_the_clip(client: Any) -> None:
    clip = client.json("POST", "/api/example?fps=5")["clip"]
    status, headers, content = client.request("GET", f"/api/clip/{clip['key']}/7.jpg")
    assert status == 200 and headers["content-type"] == "image/jpeg"
    picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    assert picture.shape == (32, 48, 3)
    assert picture.mean() == pytest.approx(20 + 3 * 14, abs=2)  # 1.4 s are 14 pictures
    _, headers, content = client.request("GET", f"/api/clip/{clip['key']}/sound.wav")
    samples, rate = soundfile.read(io.BytesIO(content))
    assert samples.shape == (2 * rate,)
    assert np.abs(samples[: rate // 2]).max() < 0.05 < 0.2 < np.abs(samples[-rate // 2 :]).max()
    loudest = np.array(clip["peaks"])
    assert loudest[:190].max() < 0.05 and loudest[210:390].min() > 0.2
    part = client.request("GET", f"/api/clip/{clip['key']}/sound.wav", Range="bytes=0-99")
    assert part[0] == 206 and part[2] == content[:100]


def test_a_click_changes_the_mask_of_its_frame_at_once_and_all_others_after(
    client: Any, predictor: Any, pixels: Any
) -> None:
    client.json("POST", "/api/example?fps=5")
    answer = client.json("POST", "/api/objects/1/point", frame=4, x=0.75, y=0.5, positive=True)
    (found,) = answer["masks"]
    assert found["frame"] == 4 and found["run"] == "run"
    assert pixels(found["objects"]["1"])[16, 36]
    assert predictor.calls[-1] == ("prompt", 4, 1, [([36, 16], 1)], None)
    masks = client.masks()
    assert all(pixels(line["objects"]["1"])[16, 36] for line in masks)
    answer = client.json("POST", "/api/objects/1/point", frame=4, x=0.25, y=0.5, positive=False)
    assert not pixels(answer["masks"][0]["objects"]["1"])[16, 12]
    client.json("POST", "/api/objects/1/undo", frame=4)
    answer = client.json("POST", "/api/objects/1/undo", frame=4)
    assert answer["objects"][0]["frames"] == {} and answer["masks"] == []
    assert predictor.calls[-1] == ("clear", 4, 1)


def test_an_object_of_clicks_alone_is_followed_from_its_first_click_both_ways(
    client: Any, predictor: Any, pixels: Any
) -> None:
    client.json("POST", "/api/example?fps=5")
    assert client.json("POST", "/api/objects/1/sound", on=False, weight=1)["masks"] == []
    assert predictor.calls[-1] == ("remove", 1)
    assert client.masks() == []
    assert client.json("POST", "/api/objects")["added"] == 2
    body = {"frame": 6, "x0": 0.9, "y0": 0.9, "x1": 0.5, "y1": 0.5}
    client.json("POST", "/api/objects/2/box", **body)
    assert predictor.calls[-1] == ("prompt", 6, 2, [], pytest.approx([24, 16, 43.2, 28.8]))
    found = client.masks()
    assert predictor.calls[-2:] == [("propagate", 6, False), ("propagate", 6, True)]
    assert {line["frame"] for line in found} == set(range(10))
    assert pixels(found[0]["objects"]["2"])[20, 30]
    client.json("POST", "/api/objects/1/sound", on=True, weight=0.5)
    assert predictor.calls[-1] == ("add_audio", 1, 0.5)
    state = client.json("DELETE", "/api/objects/2")
    assert [o["id"] for o in state["objects"]] == [1]
    assert {tuple(line["objects"]) for line in client.masks()} == {("1",)}


def test_the_weight_of_the_sound_reaches_the_predictor(client: Any, predictor: Any) -> None:
    client.json("POST", "/api/example?fps=5")
    client.json("POST", "/api/objects/1/sound", on=True, weight=1.5)
    assert predictor.calls[-1] == ("set_audio_weight", 1, 1.5)
    client.json("POST", "/api/objects/1/point", frame=0, x=0.5, y=0.5, positive=True)
    client.json("POST", "/api/objects/1/sound", on=False, weight=1.5)
    assert predictor.calls[-1] == ("set_audio_weight", 1, 0)


def test_two_runs_get_every_click(visit: Any, new_predictor: Any) -> None:
    first, second = new_predictor(), new_predictor()
    client = visit({"A": first, "B": second})
    assert client.json("POST", "/api/example?fps=1")["runs"] == ["A", "B"]
    answer = client.json("POST", "/api/objects/1/point", frame=1, x=0.9, y=0.5, positive=True)
    assert [found["run"] for found in answer["masks"]] == ["A", "B"]
    assert first.calls == second.calls
    runs = [(line["run"], line["frame"]) for line in client.masks()]
    assert runs == [("A", 0), ("B", 0), ("A", 1), ("B", 1)]


def test_the_same_clip_is_opened_again_at_another_rate(
    client: Any, write_video: Any, tmp_path: Path
) -> None:
    assert client.json("POST", "/api/again?fps=5") == (400, "load a clip first")
    video = write_video(tmp_path / "a.mp4", seconds=1)
    for load, name in (
        (lambda: client.json("POST", "/api/example?fps=5"), "example.mp4"),
        (lambda: client.upload(video), "a.mp4"),
    ):
        first = load()["clip"]
        assert first["fps"] == 5
        for fps, rate in (("2", 2), ("", None)):
            clip = client.json("POST", f"/api/again?fps={fps}")["clip"]
            assert (clip["name"], clip["fps"], clip["seconds"]) == (name, rate, first["seconds"])
            assert len(clip["times"]) == round(clip["seconds"] * (rate or 10))
    assert client.json("POST", "/api/again?fps=99")[0] == 400
    assert len(client.masks()) == 10


def test_another_rate_keeps_objects_and_their_clicks_at_their_time(
    client: Any, predictor: Any
) -> None:
    client.json("POST", "/api/example?fps=5")
    client.json("POST", "/api/objects")
    for frame in (3, 4, 9):
        client.json("POST", "/api/objects/2/point", frame=frame, x=0.75, y=0.5, positive=True)
    client.json("DELETE", "/api/objects/1")
    before = client.json("GET", "/api/state")["objects"]
    state = client.json("POST", "/api/again?fps=10")
    assert [o["id"] for o in state["objects"]] == [2] and state["clip"]["notices"] == []
    assert list(state["objects"][0]["frames"]) == ["6", "8", "18"]
    assert [call[:3] for call in predictor.calls[-3:]] == [("prompt", f, 2) for f in (6, 8, 18)]
    assert client.json("POST", "/api/again?fps=5&text=same")["objects"] == before
    state = client.json("POST", "/api/again?fps=1")
    assert list(state["objects"][0]["frames"]) == ["1"] and len(state["clip"]["notices"]) == 1
    assert "Clicks in 2 frames of object 2 went" in state["clip"]["notices"][0]


def test_a_run_that_hears_nothing_waits_for_clicks_alone_too(
    visit: Any, new_predictor: Any
) -> None:
    client = visit({"deaf": new_predictor(deaf=True)})
    state = client.json("POST", "/api/example?fps=1")
    assert not state["objects"][0]["sound"] and client.masks() == []
    told = "no run hears it: the masks follow your clicks alone"
    assert client.json("POST", "/api/objects/1/sound", on=True, weight=1) == (400, told)
    assert client.json("POST", "/api/export")[0] == 400


def test_a_run_that_hears_nothing_waits_for_clicks_beside_one_that_hears(
    visit: Any, new_predictor: Any
) -> None:
    deaf, hears = new_predictor(deaf=True), new_predictor()
    client = visit({"deaf": deaf, "hears": hears})
    state = client.json("POST", "/api/example?fps=1")
    assert state["clip"]["peaks"] and state["objects"][0]["sound"]
    assert state["clip"]["notices"] == ["deaf: the model hears nothing."]
    assert {line["run"] for line in client.masks()} == {"hears"} and deaf.calls == []
    answer = client.json("POST", "/api/objects/1/point", frame=1, x=0.9, y=0.5, positive=True)
    assert [found["run"] for found in answer["masks"]] == ["deaf", "hears"]
    assert [(line["run"], line["frame"]) for line in client.masks()] == [
        ("deaf", 1), ("hears", 0), ("deaf", 1), ("hears", 1), ("deaf", 0),
    ]  # fmt: skip
    client.json("POST", "/api/objects/1/clear")
    assert deaf.calls[-1] == ("remove", 1) and hears.calls[-1] == ("clear", 1, 1)


def test_an_expression_reaches_the_runs_that_read_one(visit: Any, new_predictor: Any) -> None:
    reads, ignores = new_predictor(), new_predictor()
    reads.trained.model.text_encoder = object()
    client = visit({"A": reads, "B": ignores})
    assert client.json("GET", "/api/state")["readsText"]
    client.json("POST", "/api/example?fps=1&text=the%20loud%20one")
    assert (reads.texts, ignores.texts) == (["the loud one"], [None])


def test_a_change_ends_the_masks_of_the_one_before(
    client: Any, predictor: Any, monkeypatch: pytest.MonkeyPatch, new_client: Any
) -> None:
    client.json("POST", "/api/example?fps=10")
    begun, go_on = threading.Event(), threading.Event()
    fast = predictor.propagate_in_video

    def slow(*arguments: Any, **more: Any) -> Any:
        for found in fast(*arguments, **more):
            yield found
            begun.set()
            go_on.wait(10)

    monkeypatch.setattr(predictor, "propagate_in_video", slow)
    lines: list[Any] = []
    reader = threading.Thread(target=lambda: lines.extend(client.masks(whole=False)))
    reader.start()
    assert begun.wait(10)
    other = new_client(client.port)
    other.cookie = client.cookie
    answers: list[Any] = []
    body = {"frame": 0, "x": 0.5, "y": 0.5, "positive": True}
    click = threading.Thread(
        target=lambda: answers.append(other.json("POST", "/api/objects/1/point", **body))
    )
    click.start()
    click.join(0.3)  # it waits for the frame at hand
    go_on.set()
    click.join(10)
    reader.join(10)
    assert len(lines) < 20 and len(answers[0]["masks"]) == 1


def test_an_upload_is_opened_under_its_name(client: Any, write_video: Any, tmp_path: Path) -> None:
    path = write_video(tmp_path / "b.mov", seconds=1, sound=False)
    state = client.upload(path, name="../../Grüße & more.mov", fps="")
    assert state["clip"]["name"] == "Grüße & more.mov"
    assert len(state["clip"]["times"]) == 10 and state["clip"]["peaks"] == []
    assert state["clip"]["notices"] == [
        "'Grüße & more.mov' has no audio track: the masks follow your clicks alone."
    ]
    assert not state["objects"][0]["sound"]
    assert client.json("POST", "/api/objects/1/sound", on=True, weight=1)[0] == 400


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "'a.mp4' is empty."),
        (b"\0" * 5000, "'a.mp4' is no video that this page takes"),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", "'a.mp4' is no video that this page takes"),
    ],
)
def test_what_is_no_video_is_told_in_words_and_the_clip_before_stays(
    client: Any, tmp_path: Path, content: bytes, told: str
) -> None:
    client.json("POST", "/api/example?fps=5")
    (tmp_path / "a.mp4").write_bytes(content)
    status, error = client.upload(tmp_path / "a.mp4")
    assert status == 400 and error.startswith(told) and str(tmp_path) not in error
    assert client.json("GET", "/api/state")["clip"]["name"] == "example.mp4"
    assert len(client.masks()) == 10


def test_sound_without_pictures_is_refused_by_the_name_of_its_file(
    client: Any, write_video: Any, tmp_path: Path
) -> None:
    import av

    with av.open(str(tmp_path / "a.mp4"), "w") as container:
        track = container.add_stream("aac", rate=16_000, layout="mono")
        block = av.AudioFrame.from_ndarray(np.zeros((1, 16_000), np.float32), "fltp", "mono")
        block.sample_rate = 16_000
        container.mux(track.encode(block))
        container.mux(track.encode(None))
    status, error = client.upload(tmp_path / "a.mp4", name="voice.mp4")
    assert status == 400 and "'voice.mp4'" in error and "video" in error
    assert str(tmp_path) not in error


def test_an_upload_beyond_the_limit_is_refused_stated_or_not(
    visit: Any, tmp_path: Path, new_predictor: Any
) -> None:
    client = visit({"run": new_predictor()}, upload_mb=1)
    (tmp_path / "large.mp4").write_bytes(b"\0" * 1_000_001)
    assert client.upload(tmp_path / "large.mp4") == (
        413, "'large.mp4' is larger than 1 MB, the limit of this page.",
    )  # fmt: skip
    pieces = (b"\0" * 100_000 for _ in range(30))
    status, _, content = client.request("POST", "/api/clip?name=a.mp4", pieces)
    assert status == 413 and "larger than 1 MB" in json.loads(content)["error"]
    assert [path for path in (tmp_path / "server").rglob("*") if path.is_file()] == []


def test_what_cannot_be_asked_is_told(client: Any) -> None:
    client.json("POST", "/api/example?fps=5")
    for change, body, told in (
        ("1/point", {"frame": 10, "x": 0, "y": 0}, "no frame 10"),
        ("1/point", {"frame": -1, "x": 0, "y": 0}, "no frame -1"),
        ("1/point", {"frame": 1, "x": 1.5, "y": 0}, "from 0 to 1"),
        ("1/point", {"frame": 1, "x": "0", "y": 0}, "got x='0', wanted a number"),
        ("1/undo", {"frame": True}, "got frame=True, wanted a number"),
        ("1/undo", {"frame": [1]}, "got frame=[1], wanted a number"),
        ("1/undo", {"frame": float("inf")}, "got frame=inf, wanted a number"),
        ("9/point", {"frame": 1, "x": 0, "y": 0}, "no object 9; there are [1]"),
        ("1/paint", {"frame": 1}, "got 'paint'; known changes"),
        ("1/sound", {"on": True, "weight": 3}, "wanted 0 to 2"),
        ("1/sound", {"on": True}, "got weight=None"),
    ):
        status, error = client.json("POST", f"/api/objects/{change}", **body)
        assert status == 400 and told in error, change
    assert client.request("POST", "/api/objects/1/point", b"[1]")[0] == 400
    assert client.request("POST", "/api/objects/1/point", b"{" + b" " * 70_000)[0] == 413
    assert client.json("POST", "/api/example?fps=nan")[0] == 400


def test_faults_of_the_program_are_told_without_their_insides(
    client: Any, predictor: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.json("POST", "/api/example?fps=5")
    monkeypatch.setattr(predictor, "add_new_points_or_box", lambda *_, **__: 1 / 0)
    body = {"frame": 0, "x": 0.5, "y": 0.5}
    status, error = client.json("POST", "/api/objects/1/point", **body)
    assert status == 500 and "should not have happened" in error and "division" not in error


def test_no_path_leads_out(client: Any) -> None:
    key = client.json("POST", "/api/example?fps=5")["clip"]["key"]
    clip = f"/api/clip/{key}"
    assert client.request("GET", f"{clip}/0.jpg")[0] == 200
    for path in (
        "/../app.py", "/%2e%2e/app.py", "/page.css/../../app.py", "/..%2fapp.py", "//etc/passwd",
        "/page/index.html", f"{clip}/../../../../etc/passwd", f"{clip}/..%2f..%2fx.jpg",
        f"{clip}/-1.jpg", f"{clip}/99.jpg", "/api/clip/2/0.jpg", f"{clip}/clip.mp4",
        f"/api/clip/%2e%2e%2f{key}/0.jpg", f"/api/clip/./{key}%2f../0.jpg", "/api/clip/*/0.jpg",
        "/api/clip//etc/passwd", f"{clip}/0.jpg%00", "/etc/passwd", "/.in_use", "/index.html",
    ):  # fmt: skip
        status, _, content = client.request("GET", path)
        assert status in (400, 404), (path, status)
        assert b"root:" not in content and b"import" not in content


def page_files() -> tuple[str, ...]:
    from auralsam2.demo.app import PAGE_FILES

    return PAGE_FILES


def test_the_page_loads_its_own_files_alone(client: Any) -> None:
    assert {path.name for path in PAGE.iterdir()} == {"index.html", *page_files()}
    for path in PAGE.iterdir():
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"(https?:)?//[a-z0-9.-]+\.[a-z]{2,}", text), path.name
    status, headers, _ = client.request("GET", "/main.js")
    assert status == 200 and headers["content-type"].startswith("text/javascript")
    assert "default-src 'none'" in headers["content-security-policy"]


def test_sessions_see_their_own_clip_alone(client: Any, new_client: Any) -> None:
    key = client.json("POST", "/api/example?fps=5")["clip"]["key"]
    stranger = new_client(client.port)
    assert stranger.json("GET", "/api/state")[0] == 410
    stranger.request("GET", "/")
    assert stranger.json("GET", "/api/state")["clip"] is None
    assert stranger.request("GET", f"/api/clip/{key}/0.jpg")[0] == 404
    assert stranger.json("POST", "/api/objects/1/point", frame=0, x=0, y=0)[0] == 400
    assert stranger.masks() == []
