"""The page's addresses: what it loads, what it asks, and how errors are told.

Every file that is sent is named here or by a number, never by the text of a request.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path, PurePath
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import iterate_in_threadpool, run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from auralsam2.demo.clip import Clip
from auralsam2.demo.export import ARCHIVE, Draw, write_export
from auralsam2.demo.guard import Guard
from auralsam2.demo.incoming import change_of, frame_rate, read_json, receive
from auralsam2.demo.session import Session
from auralsam2.demo.sessions import MOST_SESSIONS, Sessions
from auralsam2.messages import is_message, message
from auralsam2.predictor.hearing import reads_text

PAGE = Path(__file__).parent / "page"
PAGE_FILES = ("page.css", "main.js", "stage.js", "server.js", "timeline.js", "recorder.js")
CLOSED = (
    f"Your clip was closed, because more than {MOST_SESSIONS} browsers have opened this page "
    "since. Reload it to begin again."
)
MOST_TEXT = 300
"""Characters of an expression."""
KEEP = {"Cache-Control": "private, max-age=3600"}
NO_STORE = {"Cache-Control": "no-store"}


class Page:
    """Answers of the page.

    Args:
        sessions: of all browsers.
        example: the clip that is there at the beginning.
        upload_mb: the largest clip that is taken.
        port: of the server.
        draw_sheet: draws the sheet of an export to a path.
    """

    def __init__(
        self, sessions: Sessions, example: Path, upload_mb: int, port: int, draw_sheet: Draw
    ) -> None:
        self.sessions, self.example, self.upload_mb = sessions, example, upload_mb
        self.port, self.draw_sheet = port, draw_sheet
        self.cookie = f"auralsam2_{port}"  # all servers of a machine share their cookies

    def app(self) -> Starlette:
        """Return what a server serves."""
        routes = [
            Route("/", self.index),
            *(Route(f"/{name}", partial(_page_file, name)) for name in PAGE_FILES),
            Route("/api/state", self.state),
            Route("/api/example", self.load_example, methods=["POST"]),
            Route("/api/again", self.load_again, methods=["POST"]),
            Route("/api/clip", self.load_clip, methods=["POST"]),
            Route("/api/clip/{key}/{frame:int}.jpg", self.frame),
            Route("/api/clip/{key}/sound.wav", self.sound),
            Route("/api/clip/{key}/export.zip", self.exported),
            Route("/api/masks", self.masks),
            Route("/api/export", self.export, methods=["POST"]),
            Route("/api/exported", self.export_share),
            Route("/api/objects", self.add_object, methods=["POST"]),
            Route("/api/objects/{obj_id:int}", self.remove_object, methods=["DELETE"]),
            Route("/api/objects/{obj_id:int}/{what}", self.change, methods=["POST"]),
        ]
        handlers = {HTTPException: _told, Exception: _told}
        guard = Middleware(Guard, port=self.port)
        return Starlette(routes=routes, middleware=[guard], exception_handlers=handlers)

    async def index(self, request: Request) -> Response:
        """The page itself; whoever opens it gets a session."""
        response = FileResponse(PAGE / "index.html", headers=NO_STORE)
        if self.sessions.find(request.cookies.get(self.cookie)) is None:
            secret = await run_in_threadpool(self.sessions.start)
            response.set_cookie(self.cookie, secret, httponly=True, samesite="strict")
        return response

    def state(self, request: Request) -> Response:
        """All that the page shows but pictures and masks."""
        return self._state(self._session(request))

    def load_example(self, request: Request) -> Response:
        """Open the clip that comes with the package."""
        session = self._session(request)
        _tell(session.load, self.example, self.example.name, *_asked(request))
        return self._state(session)

    def load_again(self, request: Request) -> Response:
        """Open the same clip at another rate, or for another expression."""
        session = self._session(request)
        _tell(session.load_again, *_asked(request))
        return self._state(session)

    async def load_clip(self, request: Request) -> Response:
        """Take a clip, the body of the request, and open it."""
        session, asked = self._session(request), _asked(request)
        name = PurePath(request.query_params.get("name", "")).name[:200] or "clip"
        folder = await run_in_threadpool(session.new_folder)
        try:
            source = await receive(request, folder, name, self.upload_mb)
            await run_in_threadpool(_tell, session.load, source, name, *asked)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return self._state(session)

    def frame(self, request: Request) -> Response:
        """A frame as JPEG."""
        frames = self._clip(request).frames
        return FileResponse(_tell(frames.jpeg, request.path_params["frame"]), headers=KEEP)

    def sound(self, request: Request) -> Response:
        """The sound of a clip."""
        sound = self._clip(request).sound
        if sound is None:
            raise HTTPException(404, "This clip has no sound.")
        return FileResponse(sound.path, headers=KEEP)

    def masks(self, request: Request) -> Response:
        """Masks of all frames, a line of JSON each, as they are made."""
        lines = iterate_in_threadpool(_lines(self._session(request)))
        return StreamingResponse(lines, media_type="application/x-ndjson", headers=NO_STORE)

    def export(self, request: Request) -> Response:
        """Write what is shown to an archive."""
        session = self._session(request)
        with session.exporting:
            _tell(write_export, session, self.draw_sheet)
        return self._state(session)

    def export_share(self, request: Request) -> Response:
        """How much of an export is written by now, 0 to 1."""
        return JSONResponse({"share": self._session(request).exported}, headers=NO_STORE)

    def exported(self, request: Request) -> Response:
        """The archive."""
        clip = self._clip(request)
        path = clip.folder / ARCHIVE
        if not path.is_file():
            raise HTTPException(404, "Nothing was exported.")
        name = f"{PurePath(clip.name).stem}-masks.zip"
        return FileResponse(path, filename=name, headers=NO_STORE)

    def add_object(self, request: Request) -> Response:
        """Add an object."""
        session = self._session(request)
        return self._state(session, added=_tell(session.add_object))

    def remove_object(self, request: Request) -> Response:
        """Remove an object."""
        session = self._session(request)
        _tell(session.remove_object, request.path_params["obj_id"])
        return self._state(session)

    async def change(self, request: Request) -> Response:
        """Change what is asked of an object; the answer has the masks of frames that it touched."""
        session, body = self._session(request), await read_json(request)
        frame, ask = _tell(change_of, request.path_params["what"], body)
        obj_id = request.path_params["obj_id"]
        masks = await run_in_threadpool(_tell, session.change, obj_id, ask, frame)
        return self._state(session, masks=masks)

    def _session(self, request: Request) -> Session:
        session = self.sessions.find(request.cookies.get(self.cookie))
        if session is None:
            raise HTTPException(410, CLOSED)
        return session

    def _clip(self, request: Request) -> Clip:
        clip = self._session(request).clip
        if clip is None or clip.folder.name != request.path_params["key"]:
            raise HTTPException(404, "This clip was closed.")
        return clip

    def _state(self, session: Session, **more: Any) -> Response:
        clip = session.clip
        content = {
            "runs": list(session.predictors),
            "readsText": any(reads_text(p.trained.model) for p in session.predictors.values()),
            "clip": clip.to_json() if clip else None,
            "objects": [tracked.to_json() for tracked in session.objects.values()],
            "uploadMb": self.upload_mb,
        }
        return JSONResponse(content | more, headers=NO_STORE)


def _asked(request: Request) -> tuple[float | None, str]:
    return frame_rate(request), request.query_params.get("text", "")[:MOST_TEXT]


def _page_file(name: str, request: Request) -> Response:
    return FileResponse(PAGE / name, headers={"Cache-Control": "no-cache"})


def _lines(session: Session) -> Iterator[str]:
    """Masks, and an error that stops them as the last line: the answer has begun by then."""
    try:
        for found in session.masks():
            yield json.dumps(found, separators=(",", ":")) + "\n"
    except Exception as error:
        if not is_message(error):
            yield json.dumps({"error": FAILED}) + "\n"
            raise
        yield json.dumps({"error": message(error)}) + "\n"


FAILED = "This should not have happened; the terminal of auralsam2 demo shows what did."


def _tell(do: Any, *arguments: Any) -> Any:
    """Call, and tell the page what a message for users says; all else is a fault of ours."""
    try:
        return do(*arguments)
    except Exception as error:
        if is_message(error):
            raise HTTPException(400, message(error)) from error
        raise


def _told(request: Request, error: Exception) -> Response:
    known = isinstance(error, HTTPException)
    status, text = (error.status_code, error.detail) if known else (500, FAILED)
    return JSONResponse({"error": text}, status, headers=NO_STORE)
