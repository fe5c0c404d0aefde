"""The end of a process whose work is done, whatever a component has left running.

Python waits for every thread that is no daemon, and for child processes, before it ends: one that
a user's component started and never stopped would hold a finished command, its GPU, or a place in
a queue for ever.
"""

from __future__ import annotations

import atexit
import os
import sys
import threading
import time

GRACE_S = 5.0
"""How long what is left may take to end by itself."""


def end_soon(status: int, grace_s: float | None = None) -> None:
    """Let this process end within a grace; for its main thread, when nothing is left to do.

    Where nothing is left running, the process ends as usual. Else what is registered for the end
    (`atexit`) is still done after the grace, what is printed is flushed, and standard error says
    what was not waited for.
    """
    grace_s = GRACE_S if grace_s is None else grace_s
    if not _left_running():
        return
    # Both are started now: at the end of the interpreter no thread can be.
    by_itself, tidied = threading.Event(), threading.Event()
    atexit.register(by_itself.set)  # the last to be registered is the first to be called
    for target, arguments in (
        (_tidy, (grace_s, by_itself, tidied)),
        (_end, (status, grace_s, tidied)),
    ):
        threading.Thread(target=target, args=arguments, daemon=True, name="end").start()


def end_now(status: int) -> None:
    """End this process after what is registered for its end, without tearing Python down.

    Threads of torch that talk to other processes may outlive their group, and abort a process
    that is torn down around them.
    """
    atexit._run_exitfuncs()
    _leave(status)


def _left_running() -> list[str]:
    """Return what Python would wait for, in words."""
    main = threading.main_thread()
    found = [
        f"thread '{thread.name}'"
        for thread in threading.enumerate()
        if thread is not main and not thread.daemon
    ]
    return found + [f"process '{child.name}'" for child in _children()]


def _children() -> list[object]:
    multiprocessing = sys.modules.get("multiprocessing")
    return [] if multiprocessing is None else list(multiprocessing.active_children())


def _tidy(grace_s: float, by_itself: threading.Event, tidied: threading.Event) -> None:
    time.sleep(grace_s)
    if left := _left_running():
        print(f"ended without waiting for {', '.join(left)}", file=sys.stderr)
    for child in _children():
        child.terminate()  # type: ignore[attr-defined]
    if by_itself.is_set():  # and it goes on there, now that no child holds it
        time.sleep(grace_s)
    else:  # Python comes to it only after the threads
        atexit._run_exitfuncs()
    tidied.set()


def _end(status: int, grace_s: float, tidied: threading.Event) -> None:
    time.sleep(grace_s)
    tidied.wait(2 * grace_s)
    _leave(status)


def _leave(status: int) -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError, AttributeError):  # closed, or nobody reads it
            continue
    os._exit(status)
