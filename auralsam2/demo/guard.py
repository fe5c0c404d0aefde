"""What stands before every request of the page: only this machine's own page is answered.

A server on 127.0.0.1 can still be reached by pages of other sites in the same browser. Two things
tell them apart: a name that was rebound to 127.0.0.1 stands in ``Host``, and the site of a script
or form stands in ``Origin`` or ``Sec-Fetch-Site``.
"""

from __future__ import annotations

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

NAMES = ("127.0.0.1", "localhost")
HEADERS = {
    # Nothing is loaded from elsewhere, no script runs but the page's own, no other page frames it.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src 'self' data: blob:; media-src 'self' blob:; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(self), geolocation=()",
}


class Guard:
    """Refuse requests of other sites, and forbid the page to load anything from them."""

    def __init__(self, app: ASGIApp, port: int) -> None:
        self.app = app
        self.hosts = {f"{name}:{port}" for name in NAMES}
        if port == 80:
            self.hosts |= set(NAMES)
        self.origins = {f"http://{host}" for host in self.hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if problem := self._problem(scope):
            await PlainTextResponse(problem, 403)(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        await self.app(scope, receive, send_guarded)

    def _problem(self, scope: Scope) -> str:
        given = Headers(scope=scope)
        hosts = given.getlist("host")
        if len(hosts) != 1 or hosts[0].lower() not in self.hosts:
            return f"This server answers to {' and '.join(sorted(self.hosts))} only."
        if any(origin.lower() not in self.origins for origin in given.getlist("origin")):
            return "This server answers its own page only."
        # A link of another site may open the page; nothing there may load it, or send more.
        opened = scope["path"] == "/" and given.getlist("sec-fetch-dest") == ["document"]
        sites = given.getlist("sec-fetch-site")
        if not opened and not {"same-origin", "none"}.issuperset(sites):
            return "This server answers its own page only."
        return ""
