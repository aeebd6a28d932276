"""Reads from and writes to a hospital's FHIR server, which may be slow, wrong or endless: bounded, and told clearly.

Time, pages and bytes are bounded over all requests of one fetch; links are followed only on the server that was
asked; the token goes to no other.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, urljoin, urlsplit

import httpx

from opentpe.errors import OpenTPEError
from opentpe.records.canonical import depth
from opentpe.web import incoming
from opentpe.web.settings import Limits

Resource = dict[str, Any]
_TYPES: Final = ("application/fhir+json", "application/json", "application/json+fhir")


class FhirServerError(OpenTPEError):
    """The FHIR server did not give what was asked for; the message says what happened, without patient data."""


@dataclass(slots=True)
class Fetch:
    """One bounded conversation with one server."""

    base_url: str
    token: str
    limits: Limits
    transport: httpx.BaseTransport | None = None
    until: float = 0.0
    bytes_left: int = 0
    client: httpx.Client = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Starts the clock."""
        self.until = time.monotonic() + self.limits.fetch_seconds
        self.bytes_left = self.limits.fetch_bytes
        self.client = httpx.Client(transport=self.transport, follow_redirects=False, trust_env=False)

    def read(self, path: str) -> Resource:
        """One resource, by its path below the base address."""
        return self._get(self._address(path))

    def search(self, query: str) -> list[Resource]:
        """All entries of a search, page after page; FhirServerError where they do not end."""
        found: list[Resource] = []
        address, seen = self._address(query), set[str]()
        for _ in range(self.limits.fetch_pages):
            page = self._get(address)
            if page.get("resourceType") != "Bundle":
                raise FhirServerError(f"the FHIR server answered a search with {page.get('resourceType')!r}")
            found += entries_of(page)
            seen.add(address)
            following = next_link(page)
            if not following:
                return found
            address = self._address(following)
            if address in seen:
                raise FhirServerError("the FHIR server's pages run in a circle")
        raise FhirServerError(f"the FHIR server has more than {self.limits.fetch_pages} pages")

    def create(self, resource: Resource, once: str = "") -> Resource:
        """Posts a resource; what the server says it kept. `once`: an identifier that is never written twice."""
        return self._send("POST", self._address(str(resource["resourceType"])), resource, once)

    def _address(self, path: str) -> str:
        """The full address; FhirServerError where it leaves the server."""
        base = self.base_url.rstrip("/") + "/"
        address = urljoin(base, path)
        there, here = urlsplit(address), urlsplit(base)
        if (there.scheme, there.netloc) != (here.scheme, here.netloc) or not there.path.startswith(here.path):
            raise FhirServerError("the FHIR server points to another server; it was not followed")
        return address

    def _get(self, address: str) -> Resource:
        return self._send("GET", address, None)

    def _send(self, method: str, address: str, body: Resource | None, once: str = "") -> Resource:
        left_s = self.until - time.monotonic()
        if left_s <= 0:
            raise FhirServerError(f"the FHIR server took longer than {self.limits.fetch_seconds:g} s")
        headers = {"Accept": "application/fhir+json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        content = None
        if body is not None:
            headers["Content-Type"] = "application/fhir+json"
            content = json.dumps(body).encode()
        if once:
            headers["If-None-Exist"] = f"identifier={quote(once, safe='')}"
        with (
            _explained(self.limits),
            self.client.stream(method, address, headers=headers, content=content, timeout=left_s) as answer,
        ):
            return self._checked(answer, self._body(answer))

    def _body(self, answer: httpx.Response) -> bytes:
        parts: list[bytes] = []
        for part in answer.iter_bytes():
            parts.append(part)
            self.bytes_left -= len(part)
            if self.bytes_left < 0:
                raise FhirServerError(f"the FHIR server sends more than {self.limits.fetch_bytes / 1e6:g} MB")
            if time.monotonic() > self.until:
                raise FhirServerError(f"the FHIR server took longer than {self.limits.fetch_seconds:g} s")
        return b"".join(parts)

    def _checked(self, answer: httpx.Response, body: bytes) -> Resource:
        kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
        if answer.status_code in (httpx.codes.CREATED, httpx.codes.OK) and not body and answer.request.method == "POST":
            return {}
        if kind not in _TYPES:
            raise FhirServerError(f"the FHIR server answered {answer.status_code} with {kind or 'no type'}, not FHIR")
        try:
            read = incoming.decoded(body)
        except ValueError:
            raise FhirServerError("the FHIR server sent something that is not JSON") from None
        if not isinstance(read, dict) or not depth(read, self.limits.json_depth):
            raise FhirServerError("the FHIR server sent something that is not a resource")
        if answer.is_error or read.get("resourceType") == "OperationOutcome":
            raise FhirServerError(f"the FHIR server refused ({answer.status_code}): {_outcome(read)}")
        return read


@contextmanager
def _explained(limits: Limits) -> Iterator[None]:
    try:
        yield
    except httpx.TimeoutException:
        raise FhirServerError(f"the FHIR server took longer than {limits.fetch_seconds:g} s") from None
    except (httpx.HTTPError, httpx.InvalidURL):
        raise FhirServerError("the FHIR server cannot be reached") from None


def _outcome(read: Resource) -> str:
    """The issue codes of an OperationOutcome; its free text may name a patient and is left out."""
    issues = read.get("issue")
    rows = issues if isinstance(issues, list) else []
    return ", ".join(str(i.get("code", "unknown")) for i in rows[:3] if isinstance(i, dict)) or "no reason given"


def entries_of(bundle: Any) -> Iterator[Resource]:
    """The entries of a bundle that hold a resource, without outcomes of the search itself."""
    entries = bundle.get("entry") if isinstance(bundle, dict) else None
    for entry in entries if isinstance(entries, list) else ():
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if isinstance(resource, dict) and resource.get("resourceType") != "OperationOutcome":
            where = entry.get("fullUrl")
            yield {"resource": resource} | ({"fullUrl": where} if isinstance(where, str) else {})


def resources_of(bundle: Any) -> Iterator[Resource]:
    """The resources of a bundle."""
    return (entry["resource"] for entry in entries_of(bundle))


def next_link(bundle: Any) -> str:
    """The address of the next page, empty on the last."""
    links = bundle.get("link") if isinstance(bundle, dict) else None
    for link in links if isinstance(links, list) else ():
        if isinstance(link, dict) and link.get("relation") == "next":
            return str(link.get("url", ""))
    return ""
