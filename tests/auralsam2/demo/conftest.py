"""A server of the page around a predictor whose masks are known beforehand."""

from __future__ import annotations

import http.client
import json
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest
import torch

from auralsam2.data.frame_source import open_frames
from auralsam2.data.images import Resizing
from auralsam2.data.video import read_audio_track
from auralsam2.predictor import AuralSAM2VideoPredictor
from auralsam2.predictor.trained import Trained

RADIUS = 0.2
"""Of what a click adds or takes away, in parts of the picture's height."""


class FakePredictor:
    """Sound makes the left half an object, a click a disc, a box its inside, in all frames."""

    def __init__(self, deaf: bool = False) -> None:
        self.deaf = deaf
        self.calls: list[tuple[Any, ...]] = []
        self.open = 0
        self.texts: list[str | None] = []
        self.trained = SimpleNamespace(model=SimpleNamespace(listens=True, text_encoder=None))

    def init_state(
        self, video: str, fps: float | None = None, text: str | None = None
    ) -> dict[str, Any]:
        self.texts.append(text)
        frames = open_frames(video, fps)
        height, width = frames.size
        try:
            has_audio = not self.deaf and bool(len(read_audio_track(Path(video))[0]))
        except ValueError:
            has_audio = False
        self.open += 1
        if self.deaf:
            warnings.warn("the model hears nothing", stacklevel=2)
        return {
            "num_frames": len(frames), "video_height": height, "video_width": width,
            "fps": fps or 10.0, "times": list(frames.times), "has_audio": has_audio,
            "weights": {}, "clicks": {},
        }  # fmt: skip

    def add_audio(self, state: dict[str, Any], obj_id: int, weight: float = 1.0) -> None:
        self.calls.append(("add_audio", obj_id, weight))
        assert state["has_audio"]
        state["weights"][obj_id] = weight

    def set_audio_weight(self, state: dict[str, Any], weight: float, obj_id: int) -> None:
        self.calls.append(("set_audio_weight", obj_id, weight))
        assert obj_id in state["weights"]
        state["weights"][obj_id] = weight

    def add_new_points_or_box(
        self, state, frame, obj_id, points=None, labels=None, box=None, **official
    ) -> tuple[int, list[int], torch.Tensor]:
        assert official == {"clear_old_points": True, "normalize_coords": True}
        points = [] if points is None else list(zip(points.tolist(), labels.tolist()))
        self.calls.append(("prompt", frame, obj_id, points, None if box is None else box.tolist()))
        state["clicks"].setdefault(obj_id, {})[frame] = (points, box)
        return frame, self._ids(state), self._logits(state)

    def clear_all_prompts_in_frame(self, state: dict[str, Any], frame: int, obj_id: int) -> None:
        self.calls.append(("clear", frame, obj_id))
        state["clicks"].get(obj_id, {}).pop(frame, None)

    def remove_object(self, state: dict[str, Any], obj_id: int) -> None:
        self.calls.append(("remove", obj_id))
        assert obj_id in self._ids(state)
        state["weights"].pop(obj_id, None)
        state["clicks"].pop(obj_id, None)

    def propagate_in_video(self, state, start_frame_idx=None, reverse=False) -> Iterator[Any]:
        self.calls.append(("propagate", start_frame_idx, reverse))
        assert self._ids(state), "the official code raises"
        last = state["num_frames"]
        order = range(start_frame_idx, -1, -1) if reverse else range(start_frame_idx, last)
        for frame in order:
            yield frame, self._ids(state), self._logits(state)

    def scores(self, state: dict[str, Any], frame: int) -> dict[int, tuple[float, float]]:
        return dict.fromkeys(self._ids(state), (0.75, 3.0))

    def close(self, state: dict[str, Any]) -> None:
        self.open -= 1

    def _ids(self, state: dict[str, Any]) -> list[int]:
        return sorted({*state["weights"], *(i for i, own in state["clicks"].items() if own)})

    def _logits(self, state: dict[str, Any]) -> torch.Tensor:
        height, width = state["video_height"], state["video_width"]
        rows, columns = np.mgrid[:height, :width] + 0.5
        masks = []
        for obj_id in self._ids(state):
            mask = (columns < width / 2) & (state["weights"].get(obj_id, 0) > 0)
            for points, box in state["clicks"].get(obj_id, {}).values():
                if box is not None:
                    mask |= (
                        (columns > box[0]) & (columns < box[2]) & (rows > box[1]) & (rows < box[3])
                    )
                for (x, y), label in points:
                    disc = np.hypot(rows - y, columns - x) < RADIUS * height
                    mask = mask | disc if label else mask & ~disc
            masks.append(np.where(mask, 5.0, -5.0))
        return torch.tensor(np.array(masks))[:, None]


def _pixels(found: dict[str, Any], width: int = 48, height: int = 32) -> np.ndarray:
    """The mask of an object in an answer."""
    runs = found["runs"]
    return np.repeat(np.arange(len(runs)) % 2 == 1, runs).reshape(width, height).T


class Client:
    """A browser without a screen: keeps its cookie, says where it comes from."""

    def __init__(self, port: int) -> None:
        self.port, self.cookie = port, ""

    def request(
        self, method: str, path: str, body: bytes | None = None, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        sent = {"Cookie": self.cookie} if self.cookie else {}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, sent)
        answer = connection.getresponse()
        content, given = answer.read(), {k.lower(): v for k, v in answer.getheaders()}
        connection.close()
        if "set-cookie" in given:
            self.cookie = given["set-cookie"].partition(";")[0]
        return answer.status, given, content

    def json(self, method: str, path: str, **body: Any) -> Any:
        """What is answered, or (status, error) where it is one."""
        status, _, content = self.request(method, path, json.dumps(body).encode() if body else b"")
        answer = json.loads(content)
        return answer if status == 200 else (status, answer["error"])

    def upload(self, path: Path, name: str = "", fps: str = "5") -> Any:
        query = f"name={quote(name or path.name)}&fps={fps}"
        status, _, content = self.request("POST", f"/api/clip?{query}", path.read_bytes())
        answer = json.loads(content)
        return answer if status == 200 else (status, answer["error"])

    def masks(self, whole: bool = True) -> list[dict[str, Any]]:
        status, _, content = self.request("GET", "/api/masks")
        assert status == 200
        *found, last = [json.loads(line) for line in content.splitlines()]
        assert (last == {"done": True}) == whole
        return found


@pytest.fixture
def start_server(tmp_path: Path, write_video: Callable[..., Path]) -> Iterator[Callable[..., int]]:
    """Start a server of some predictors, whose files go to ``tmp_path / "server"``; its port."""
    pytest.importorskip("uvicorn", reason="the extra 'demo' is not installed")
    import uvicorn

    from auralsam2.demo.app import Page
    from auralsam2.demo.serve import listening
    from auralsam2.demo.sessions import Sessions

    running = []

    def draw_sheet(glance: Any, path: Path) -> None:
        path.write_text(f"{glance.name}, objects {glance.objects}")

    def start(predictors: dict[str, Any], upload_mb: int = 200, example: Path | None = None) -> int:
        folder = tmp_path / "server"
        folder.mkdir()
        listener = listening(0)
        port = listener.getsockname()[1]
        sessions = Sessions(predictors, folder)
        example = example or write_video(tmp_path / "example.mp4", seconds=2)
        app = Page(sessions, example, upload_mb, port, draw_sheet).app()
        server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off"))
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        running.append((server, thread, sessions, listener))
        while not server.started:
            time.sleep(0.01)
        return port

    yield start
    for server, thread, sessions, listener in running:
        sessions.stop()
        server.should_exit = True
        thread.join(10)
        sessions.close()
        listener.close()


@pytest.fixture
def predictor() -> FakePredictor:
    return FakePredictor()


@pytest.fixture
def visit(start_server: Callable[..., int]) -> Callable[..., Client]:
    """Start a server of some predictors, and return a browser that has opened its page."""

    def visit(predictors: dict[str, Any], **how: Any) -> Client:
        client = Client(start_server(predictors, **how))
        assert client.request("GET", "/")[0] == 200
        return client

    return visit


@pytest.fixture
def client(visit: Callable[..., Client], predictor: FakePredictor) -> Client:
    return visit({"run": predictor})


@pytest.fixture
def mini(build_mini: Callable[..., Any]) -> AuralSAM2VideoPredictor:
    return AuralSAM2VideoPredictor(Trained(build_mini(), Resizing(128)))


@pytest.fixture
def new_client() -> type[Client]:
    return Client


@pytest.fixture
def new_predictor() -> type[FakePredictor]:
    return FakePredictor


@pytest.fixture
def pixels() -> Callable[..., np.ndarray]:
    return _pixels
