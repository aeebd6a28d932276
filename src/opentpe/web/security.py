"""What stands between the network and the pages: names, sizes, rates, origins, headers, and a log without patients."""

from __future__ import annotations

import json
import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from opentpe.web.seal import hash_of
from opentpe.web.settings import Settings

LOG: Final = logging.getLogger("opentpe.web")
UNSAFE: Final = frozenset(("POST", "PUT", "PATCH", "DELETE"))
HOOKS: Final = "/cds-services"
_KEYS_COUNT: Final = 20_000
_SHARED_ADDRESS: Final = 20  # people behind one hospital address


def policy(settings: Settings) -> dict[str, str]:
    """The headers of every answer: no inline script, nothing from elsewhere, no caching of what may be a patient's."""
    ancestors = " ".join(settings.frame_ancestors) or "'none'"
    rules = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
        "connect-src 'self'; manifest-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; "
        f"frame-ancestors {ancestors}"
    )
    headers = {
        "Content-Security-Policy": rules,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",  # no-referrer makes browsers send "Origin: null" with our own forms
        "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=()",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "no-store",
    }
    if settings.secure:
        headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
    return headers


class Buckets:
    """How much each caller may still ask for: a bucket per caller that refills evenly over a minute."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._levels: OrderedDict[str, tuple[float, datetime]] = OrderedDict()

    def take(self, caller: str, per_min: int) -> bool:
        """True where the caller may go on."""
        now = self._clock()
        level, at = self._levels.pop(caller, (float(per_min), now))
        passed_s = max((now - at).total_seconds(), 0.0)
        level = min(float(per_min), level + passed_s * per_min / 60)
        allowed = level >= 1
        self._levels[caller] = (level - 1 if allowed else level, now)
        while len(self._levels) > _KEYS_COUNT:
            self._levels.popitem(last=False)
        return allowed


class Guard:
    """The outermost ring: refuses before anything is read, bounds what is read, and dresses every answer."""

    def __init__(self, app: ASGIApp, settings: Settings, clock: Callable[[], datetime]) -> None:
        self.app = app
        self.settings = settings
        self.headers = policy(settings)
        self.buckets = Buckets(clock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = time.monotonic()
        status = 500

        async def dressed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in self.headers.items():
                    if not (name == "Cache-Control" and scope["path"].startswith("/static/")):
                        headers.setdefault(name, value)
            await send(message)

        try:
            await self._admit(scope, receive, dressed)
        finally:
            route = getattr(scope.get("route"), "path", "-")  # the pattern, never the path: paths carry identifiers
            LOG.info("%s %s %d %.0f ms", scope["method"], route, status, (time.monotonic() - began) * 1000)

    async def _admit(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = self._refusal(scope)
        if refusal is not None:
            await answer(send, *refusal)
            return
        body = await _whole_body(receive, self.settings.limits.body_bytes)
        if body is None:
            most = self.settings.limits.body_bytes / 1e6
            await answer(send, 413, "too_large", f"The upload is larger than {most:g} MB. Send less.")
            return
        sent = False

        async def replay() -> Message:
            nonlocal sent
            if sent:
                return await receive()
            sent = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self.app(scope, replay, send)

    def _refusal(self, scope: Scope) -> tuple[int, str, str] | None:
        headers = Headers(scope=scope)
        limits = self.settings.limits
        if _name_of(headers.get("host", "")) not in self.settings.host_names:
            return 421, "wrong_host", "This server is not known under that name. Use the address of the application."
        hook = scope["path"].startswith(HOOKS)
        rate = limits.hooks_per_min if hook else limits.requests_per_min
        place = scope["client"][0] if scope["client"] else "-"
        door = "hook" if hook else "page"
        if not self.buckets.take(f"{door} from {place}", rate * _SHARED_ADDRESS) or not self.buckets.take(
            f"{door} {_caller(place, headers)}", rate
        ):
            return 429, "too_many_requests", "Too many requests. Wait a minute."
        signing_in = scope["path"] == "/sign-in" and scope["method"] == "POST"
        if signing_in and not self.buckets.take(f"sign-in {place}", limits.sign_ins_per_min):
            return 429, "too_many_requests", "Too many attempts to sign in. Wait a minute."
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > limits.body_bytes:
            return 413, "too_large", f"The upload is larger than {limits.body_bytes / 1e6:g} MB. Send less."
        if not hook and scope["method"] in UNSAFE and not self._same_origin(headers):
            return 403, "foreign_origin", "The request came from another site. Repeat it from the application."
        return None

    def _same_origin(self, headers: Headers) -> bool:
        site = headers.get("sec-fetch-site", "same-origin")
        origin = headers.get("origin")
        if site not in ("same-origin", "none"):
            return False
        if origin is None:
            return True
        return _name_of(origin.partition("://")[2]) in self.settings.host_names


def _caller(place: str, headers: Headers) -> str:
    """A browser by its session, so that colleagues behind one address do not slow each other; else the address."""
    cookie = headers.get("cookie", "")
    return hash_of(cookie) if "opentpe=" in cookie else place


def _name_of(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


async def _whole_body(receive: Receive, most: int) -> bytes | None:
    """The body of the request, None where it is larger than allowed."""
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return b""
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > most:
            return None
        if not message.get("more_body", False):
            return b"".join(parts)


async def answer(send: Send, status: int, code: str, detail: str) -> None:
    """A refusal as problem details (RFC 9457)."""
    body = json.dumps({"type": f"urn:opentpe:problem:{code}", "status": status, "detail": detail}).encode()
    headers = [(b"content-type", b"application/problem+json"), (b"content-length", str(len(body)).encode())]
    if status == 429:
        headers.append((b"retry-after", b"60"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
