"""Starting: safe where nothing is said, a first account for a new unit, a demonstration that tells one story."""

import os
import signal
import subprocess
import sys
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest

from opentpe import consultation
from opentpe.errors import InputError
from opentpe.records import exchange_fhir, kinds
from opentpe.records.store import Store
from opentpe.web import demonstration, serve
from opentpe.web.settings import Settings

ROOT = Path(__file__).resolve().parents[3]


def opentpe(*words: str, **more: Any) -> subprocess.Popen:
    """The command line in a process of its own."""
    command = [sys.executable, "-c", "from opentpe.cli import main; main()", *words]
    env = os.environ | {"PYTHONPATH": str(ROOT / "src"), "NO_COLOR": "1"}
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", env=env, **more
    )


def test_another_interface_without_tls_is_refused_with_exit_2(tmp_path: Path) -> None:
    """The message names the ways that are safe."""
    made = opentpe("serve", "--host", "0.0.0.0", "--database", f"sqlite:///{tmp_path}/x.db")
    told, _ = made.communicate(timeout=60)
    assert made.returncode == 2
    assert "--tls-certificate" in told
    assert not (tmp_path / "x.db").exists()


def test_a_new_unit_serves_itself_and_asks_for_the_first_account(tmp_path: Path) -> None:
    """One command, no set-up: it prints where it is and the code for the first account, and keeps its key private."""
    port = 18_377 + os.getpid() % 1000
    made = opentpe("serve", "--port", str(port), "--database", f"sqlite:///{tmp_path}/clinic.db")
    try:
        lines = [made.stdout.readline() for _ in range(2)]
        assert f"http://127.0.0.1:{port}" in lines[0]
        code = lines[1].strip().rsplit(" ", 1)[1]
        while "Uvicorn running" not in made.stdout.readline():
            pass
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as browser:
            form = {"code": code, "name": "boss", "password": "correct horse battery"}
            assert browser.post("/setup", data=form).status_code == 303
            assert browser.post("/sign-in", json=form | {"code": None}).json()["role"] == "admin"
    finally:
        made.send_signal(signal.SIGINT)
        assert made.wait(timeout=20) in (0, 130, -signal.SIGINT)
    assert (tmp_path / "clinic.db.key").stat().st_mode & 0o077 == 0
    assert (tmp_path / "clinic.db").stat().st_mode & 0o077 == 0


def test_without_the_web_extra_the_command_says_which_to_install() -> None:
    """The core works without it; the message names the extra."""
    program = (
        "import sys; sys.modules['fastapi'] = None; sys.modules['uvicorn'] = None\n"
        "from opentpe.cli import main; sys.argv = ['opentpe', 'serve']; main()"
    )
    env = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    made = subprocess.run([sys.executable, "-c", program], capture_output=True, encoding="utf-8", env=env, check=False)
    assert made.returncode == 2
    assert "pip install 'opentpe[web]'" in made.stdout + made.stderr


def test_the_demonstration_puts_every_example_on_one_day(store: Store, library: Any, clock: Any) -> None:
    """Moved in time, three of the examples still get the advice they were made for."""
    index = tomllib.loads((ROOT / "examples" / "index.toml").read_text())
    for name in ("scenario-c.json", "infection.json", "steroids-just-finished.json"):
        text = (ROOT / "examples" / name).read_text()
        moved = demonstration.moved(text, date.fromisoformat(index[name]["on"]))
        advice = consultation.decide(moved, demonstration.DAY, library=library).decision.advice
        assert advice == index[name]["advice"], name


def test_the_demonstration_has_a_person_for_every_role(tmp_path: Path, clock: Any, library: Any) -> None:
    """And patients whose chart can be decided on."""
    made = Store(f"sqlite:///{tmp_path}/demo.db", clock)
    made.prepare()
    folder = tmp_path / "examples"
    folder.mkdir()
    (folder / "scenario-a.json").write_text((ROOT / "examples" / "scenario-a.json").read_text())
    (folder / "index.toml").write_text('["scenario-a.json"]\non = "2026-02-18"\ntitle = "A"\n')
    assert demonstration.fill(made, folder, library) == 1
    assert {k.body.role for k in made.current(kinds.Account)} == set(kinds.Role)
    chart = exchange_fhir.chart(made, library, made.current(kinds.Patient)[0].id)
    assert consultation.decide(chart, demonstration.DAY, library=library).decision.advice == "offer"


def test_the_demonstration_stays_on_this_machine(tmp_path: Path) -> None:
    """Known passwords never face a network."""
    with pytest.raises(InputError):
        demonstration.run(Settings(host="0.0.0.0", plain_http=True), ROOT / "examples", print)


def test_a_pinned_day_keeps_the_clock_running() -> None:
    """The demonstration has its own day and the hour of now."""
    clock = serve.clock_of(date(2026, 2, 18))
    assert clock().date() in (date(2026, 2, 18), date(2026, 2, 19))
    assert clock() <= clock()
