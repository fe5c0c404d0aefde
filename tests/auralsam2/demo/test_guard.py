"""Only the page of this server is answered, by its own address."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("starlette", reason="the extra 'demo' is not installed")


DESTINATIONS = ("document", "image")


def test_other_names_of_this_machine_are_refused(client: Any) -> None:
    for host in (f"127.0.0.1:{client.port}", f"localhost:{client.port}"):
        assert client.request("GET", "/api/state", Host=host)[0] == 200
    for host in ("rebound.example.com", f"rebound.example.com:{client.port}", "127.0.0.1:1", ""):
        for path in ("/", "/api/state", "/nothing"):
            status, headers, _ = client.request("GET", path, Host=host)
            assert status == 403 and "set-cookie" not in headers, host


def test_pages_of_other_sites_cannot_ask(client: Any) -> None:
    own = f"http://127.0.0.1:{client.port}"
    assert client.request("POST", "/api/example?fps=1", Origin=own)[0] == 200
    for origin in ("http://evil.example.com", "null", "http://127.0.0.1:1"):
        assert client.request("POST", "/api/example", Origin=origin)[0] == 403
    link, picture = ({"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Dest": d} for d in DESTINATIONS)
    assert client.request("GET", "/", **link)[0] == 200
    assert client.request("GET", "/", **picture)[0] == 403
    assert client.request("GET", "/api/state", **link)[0] == 403
    for path in ("/api/state", "/main.js"):
        assert client.request("GET", path, Sec_Fetch_Site="same-origin")[0] == 200
        assert client.request("GET", path, Sec_Fetch_Site="cross-site")[0] == 403
        assert client.request("GET", path, Sec_Fetch_Site="same-site")[0] == 403


def test_the_browser_is_told_to_load_nothing_else_and_to_keep_the_cookie(client: Any) -> None:
    client.cookie = ""
    _, headers, _ = client.request("GET", "/")
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'") and "http" not in policy
    assert "unsafe" not in policy and "frame-ancestors 'none'" in policy
    cookie = headers["set-cookie"]
    assert cookie.startswith(f"auralsam2_{client.port}=")
    assert "HttpOnly" in cookie and "SameSite=strict" in cookie
