"""A unit to try out: invented patients, an account per role, a pinned day; everything is thrown away at the end.

All examples are moved to one day, so that each is at the same point of its story. On this machine only.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import tomli

from opentpe.errors import InputError
from opentpe.evidence.load import Library
from opentpe.pathway.book import Pathway
from opentpe.pathway.unit import settings as unit_settings
from opentpe.records import accounts, intake
from opentpe.records.kinds import Account, Role
from opentpe.records.store import Store
from opentpe.web import passwords, serve
from opentpe.web.clinic import Clinic
from opentpe.web.pages import demo
from opentpe.web.settings import Settings

PASSWORD: Final = "opentpe-demo-only"  # noqa: S105 - invented patients, on this machine only
DAY: Final = date(2026, 2, 18)
_DATE: Final = re.compile(r'(?<=")(\d{4}-\d{2}-\d{2})(?=["T])')


def run(settings: Settings, examples: Path, say: Callable[[str], None]) -> None:
    """Serves the demonstration until stopped; `say` tells the person at the keyboard where."""
    if not settings.loopback:
        raise InputError("--demo", f"on {settings.host}", "this machine only", "Leave --host out.")
    with tempfile.TemporaryDirectory(prefix="opentpe-demo-") as folder:
        database = f"sqlite:///{folder}/demo.db"
        wanted = replace(settings, database=database, demo=True, open_hooks=True, oidc=None, hook_clients=())
        store = Store(database, serve.clock_of(DAY))
        store.prepare()
        library = serve.library_of(wanted)
        count = fill(store, examples, library)
        unit = unit_settings(library, Path(wanted.unit_file) if wanted.unit_file else None)
        demo.courses(Clinic(wanted, store, library, serve.clock_of(DAY), Pathway.of(library), unit), DAY)
        store.close()
        say(f"OpenTPE serves a demonstration at {wanted.base_url}")
        say(f"{count} invented patients, {DAY:%d %b %Y}. Enter as physician, nurse, trainee, viewer or admin.")
        say("Everything is thrown away when you stop it (Ctrl-C).")
        serve.run(wanted, Path(folder) / "key", DAY)


def fill(store: Store, examples: Path, library: Library) -> int:
    """Accounts for every role and the example patients; how many patients."""
    hashed = passwords.hashed(PASSWORD)
    for role in Role:
        made = store.add(Account(name=role.value, full_name=demo.NAMES[role.value], role=role), "demo")
        accounts.set_password(store, made.id, hashed, "demo")
    index = tomli.loads((examples / "index.toml").read_text(encoding="utf-8"))
    for name, about in index.items():
        text = (examples / name).read_text(encoding="utf-8")
        intake.take(store, moved(text, date.fromisoformat(str(about["on"]))), DAY, library, "demo", about["title"])
    return len(index)


def moved(text: str, on: date) -> dict[str, Any]:
    """A bundle with every full date shifted, so that `on` becomes the day of the demonstration."""
    days = DAY - on

    def shift(found: re.Match[str]) -> str:
        return (date.fromisoformat(found[1]) + days).isoformat()

    read: dict[str, Any] = json.loads(_DATE.sub(shift, text) if days != timedelta() else text)
    return read
