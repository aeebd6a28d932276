"""`--workers 2` on a real server: whichever worker answers, a training run, a slider and a course page say the same."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient

from opentpe.records import accounts, kinds
from opentpe.records.store import Store
from opentpe.web import seal
from opentpe.web.app import create_app
from opentpe.web.pages import rehearsal, trainer
from opentpe.web.settings import Settings

ROOT = Path(__file__).resolve().parents[3]
SERVE = "from opentpe.cli import main; main()"
SIGNED_IN = {"cookie": "opentpe=token", "x-csrf-token": "csrf"}
ABOUT = {"female": True, "height_cm": 168, "weight_kg": 68, "haematocrit_pct": 38}
STEPS = [(60, []), (60, ["slow inlet 20 %"]), (120, []), (0, ["pause 1 min"]), (90, []), (300, [])]


@contextmanager
def two_workers(folder: Path) -> Iterator[str]:
    """A real server with two workers on the records of a folder; its log stays in `log`."""
    port = 19_377 + os.getpid() % 1000
    file = folder / "clinic.toml"
    file.write_text(f"port = {port}\nworkers = 2\n[limits]\nrequests_per_min = 100000\n")
    words = ["serve", "--settings", str(file), "--database", f"sqlite:///{folder}/clinic.db"]
    env = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    with (folder / "log").open("w") as log:
        server = subprocess.Popen([sys.executable, "-c", SERVE, *words], stdout=log, stderr=log, env=env)
        try:
            base, until = f"http://127.0.0.1:{port}", time.monotonic() + 240
            while time.monotonic() < until and (folder / "log").read_text().count("startup complete") < 2:
                assert server.poll() is None, (folder / "log").read_text()
                time.sleep(0.2)
            yield base
        finally:
            server.terminate()
            server.wait(timeout=60)


def ask(base: str, method: str, path: str, **more: Any) -> Any:
    """One call on a connection of its own, so that any worker may get it."""
    with httpx.Client(base_url=base, headers=SIGNED_IN, timeout=240, trust_env=False) as browser:
        answer = browser.request(method, path, **more)
    assert answer.status_code == 200, answer.text
    return answer.json()


def workers_of(folder: Path, path: str) -> set[str]:
    """The processes that answered an address."""
    return set(re.findall(rf" (\d+) INFO \w+ {re.escape(path)} 200 ", (folder / "log").read_text()))


@pytest.mark.slow
def test_two_workers_are_one_application(tmp_path: Path, hashed: str, library: Any, kept_course: Any) -> None:
    """Forty calls alternate between two processes: each answer is the one a single process gives."""
    store = Store(f"sqlite:///{tmp_path}/clinic.db", lambda: datetime.now(UTC))
    store.prepare()
    account = store.add(kinds.Account(name="physician", role=kinds.Role.PHYSICIAN), "test")
    accounts.set_password(store, account.id, hashed, "test")
    accounts.open_session(store, seal.hash_of("token"), account.id, "csrf", "", "physician")
    course = kept_course(TestClient(create_app(Settings(key=b"k" * 32), store, library, store.clock)))
    with two_workers(tmp_path) as base:
        run = ask(base, "POST", "/trainer/start", json={"scenario": "first_run"})["run"]
        for seconds, actions in STEPS * 3:
            said = ask(base, "POST", "/trainer/step", json={"run": run, "seconds": seconds, "actions": actions})
            run = said["run"]
        asked = {"about": ABOUT, "words": "5 x 1.0 PV every other day"}
        sliders = [ask(base, "POST", "/planner/forecast", json=asked) for _ in range(10)]
        pages = [ask(base, "GET", f"/courses/{course}.json") for _ in range(10)]
    seen = {
        path: workers_of(tmp_path, path) for path in ("/trainer/step", "/planner/forecast", "/courses/{course_id}.json")
    }
    assert all(len(processes) == 2 for processes in seen.values()), seen
    key = seal.key_of(tmp_path / "clinic.db.key")
    told = rehearsal.opened(key, run, account.id)
    alone = trainer.shown(told, rehearsal.Played().of(told, library), library)
    assert {name: said[name] for name in alone} == alone
    assert all(one == sliders[0] for one in sliders)
    assert all(one == pages[0] for one in pages)
