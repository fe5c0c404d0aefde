"""A headless Chromium, driven by its own protocol over a pipe: nothing to install beside it."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--mute-audio",
    "--autoplay-policy=no-user-gesture-required",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--remote-debugging-pipe",
)


def find_chromium() -> str | None:
    """Return the path of a Chromium or Chrome; None where there is none."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Browser:
    """One browser with one page."""

    def __init__(self, program: str, folder: Path, timeout: float = 60) -> None:
        self.timeout = timeout
        self.said: list[str] = []
        """Errors and warnings of the console, and exceptions, in order."""
        self.loaded: list[str] = []
        """Addresses that pages asked for, but those inside them."""
        ours_in, self._to = os.pipe()
        self._from, ours_out = os.pipe()
        # Chromium reads commands at 3 and answers at 4: a shell puts the pipes there.
        places = f'exec "$0" "$@" 3</dev/fd/{ours_in} 4>/dev/fd/{ours_out}'
        self.process = subprocess.Popen(
            ["sh", "-c", places, program, *_FLAGS, f"--user-data-dir={folder}"],
            pass_fds=(ours_in, ours_out),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for fd in (ours_in, ours_out):
            os.close(fd)
        os.set_blocking(self._from, False)
        self._buffer, self._last, self._session = b"", 0, None
        page = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=page, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def open(self, page: Path | str) -> None:
        """Load a file or an address and wait until it is there."""
        self.said.clear()
        self.loaded.clear()
        url = page if isinstance(page, str) else page.resolve().as_uri()
        self.call("Page.navigate", url=url)
        self.wait(f"document.readyState === 'complete' && location.href === {json.dumps(url)}")

    def run(self, script: str) -> Any:
        """Return the value of an expression, awaited where it is a promise."""
        answer = self.call(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True,
            userGesture=True,
        )  # fmt: skip
        if "exceptionDetails" in answer:
            raise AssertionError(f"{script}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def wait(self, condition: str | Callable[[], object]) -> None:
        """Wait until an expression of the page, or something beside it, is true."""
        end = time.monotonic() + self.timeout
        while not (self.run(condition) if isinstance(condition, str) else condition()):
            if time.monotonic() > end:
                raise AssertionError(f"never true: {condition}")
            time.sleep(0.05)

    def press(self, key: str, code: int, text: str = "") -> None:
        """Press and release a key."""
        held = {"key": key, "windowsVirtualKeyCode": code}
        self.call("Input.dispatchKeyEvent", type="keyDown", text=text, **held)
        self.call("Input.dispatchKeyEvent", type="keyUp", **held)

    def mouse(self, *path: tuple[float, float], button: str = "left", modifiers: int = 0) -> None:
        """Press a button at the first place, move on to the others, release it at the last."""
        held = {"button": button, "buttons": 1, "clickCount": 1, "modifiers": modifiers}
        for kind, place in (("Pressed", path[0]), *(("Moved", p) for p in path[1:]),
                            ("Released", path[-1])):  # fmt: skip
            x, y = place
            self.call("Input.dispatchMouseEvent", type=f"mouse{kind}", x=x, y=y, **held)

    def look(self, width: int, height: int = 900, dark: bool = False) -> None:
        """Set the window's size and the preferred colours."""
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height,
            deviceScaleFactor=1, mobile=width < 600,
        )  # fmt: skip
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])

    def screenshot(self, path: Path, whole: bool = False) -> None:
        """Write what is seen, or the whole page."""
        answer = self.call("Page.captureScreenshot", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(answer["data"]))

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command and return its result."""
        self._last += 1
        message: dict[str, Any] = {"id": self._last, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        end = time.monotonic() + self.timeout
        while True:
            for answer in self._messages(end):
                if answer.get("id") == self._last:
                    if "error" in answer:
                        raise AssertionError(f"{method}: {answer['error']}")
                    return answer["result"]
                self._note(answer)

    def close(self) -> None:
        """End the browser."""
        self.process.kill()
        self.process.wait()
        os.close(self._to)
        os.close(self._from)

    def _messages(self, end: float) -> Sequence[dict[str, Any]]:
        """Return one message, as soon as there is one."""
        while b"\0" not in self._buffer:
            if time.monotonic() > end or self.process.poll() is not None:
                raise AssertionError("Chromium does not answer")
            try:
                self._buffer += os.read(self._from, 1 << 20)
            except BlockingIOError:
                time.sleep(0.01)
        text, _, self._buffer = self._buffer.partition(b"\0")
        return [json.loads(text)]

    def _note(self, event: dict[str, Any]) -> None:
        method, held = event.get("method"), event.get("params", {})
        if method == "Runtime.exceptionThrown":
            self.said.append(str(held["exceptionDetails"]))
        elif method == "Log.entryAdded" and held["entry"]["level"] in ("error", "warning"):
            self.said.append(held["entry"]["text"])
        elif method == "Runtime.consoleAPICalled" and held["type"] in ("error", "warning"):
            self.said.append(str(held["args"]))
        elif method == "Network.requestWillBeSent":
            url = held["request"]["url"]
            if not url.startswith("data:"):
                self.loaded.append(url)
