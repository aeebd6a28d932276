"""A demonstration served for the browser: one server, one Chromium, a page per test, signed in by role."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="the browser tests need Playwright (extra dev)")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or ""
AXE = Path(__file__).parent / "vendor" / "axe-core" / "axe.min.js"
PICTURES = Path(__file__).parents[2] / "docs" / "images"
START_S = 240


@pytest.fixture(scope="session")
def base() -> Iterator[str]:
    """The address of `opentpe serve --demo`."""
    if not CHROMIUM:
        pytest.skip("SKIPPED, NOT TESTED: no Chromium on this machine (Debian: apt install chromium)")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "opentpe", "serve", "--demo", "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        address = f"http://127.0.0.1:{port}"
        _wait(address, server)
        yield address
        server.terminate()


def _wait(address: str, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + START_S
    while time.monotonic() < until:
        if server.poll() is not None:
            pytest.fail(f"the server ended with {server.returncode}")
        try:
            with urllib.request.urlopen(f"{address}/health", timeout=2):
                return
        except OSError:
            time.sleep(0.5)
    pytest.fail(f"the server did not answer in {START_S} s")


@pytest.fixture(scope="session")
def chromium() -> Iterator[object]:
    if not CHROMIUM:
        pytest.skip("SKIPPED, NOT TESTED: no Chromium on this machine")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


Open = Callable[..., object]


def _ours(address: str, base: str) -> bool:
    """True for what a page may load without a network: this server, and data inside the page."""
    return address.startswith((base, "data:", "blob:"))


@pytest.fixture
def visit(chromium: object, base: str) -> Iterator[Open]:
    """Opens a page by role, theme and width; a script error or a broken policy fails the test, or `wrong` names it."""
    opened: list[object] = []
    told: list[str] = []
    expected: list[str] = []

    def page(
        path: str, role: str = "physician", theme: str = "light", width: int = 1280, wrong: tuple[str, ...] = ()
    ) -> object:
        expected.extend(wrong)
        context = chromium.new_context(viewport={"width": width, "height": 900}, base_url=base)
        opened.append(context)
        context.set_default_timeout(START_S * 1000)
        context.add_cookies([{"name": "opentpe_theme", "value": theme, "url": base}])
        answer = context.request.post("/sign-in", form={"name": role, "password": "opentpe-demo-only", "next": "/"})
        assert answer.ok
        made = context.new_page()
        made.on("pageerror", lambda error: told.append(str(error)))
        made.on("console", lambda said: told.append(said.text) if said.type == "error" else None)
        made.on(
            "request", lambda asked: told.append(f"foreign address {asked.url}") if not _ours(asked.url, base) else None
        )
        made.goto(path)
        return made

    yield page
    for context in opened:
        context.close()
    left = [text for text in told if not any(word in text for word in expected)]
    assert not left, left


@pytest.fixture
def picture() -> Callable[..., None]:
    """Takes a picture for the docs where OPENTPE_PICTURES is set; looks at nothing otherwise."""

    def take(page: object, name: str, whole: bool = False) -> None:
        if os.environ.get("OPENTPE_PICTURES"):
            PICTURES.mkdir(parents=True, exist_ok=True)
            page.screenshot(path=str(PICTURES / f"{name}.png"), full_page=whole)

    return take
