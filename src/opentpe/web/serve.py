"""Starts the application: one process, or several workers that read the same settings file."""

from __future__ import annotations

import gc
import json
import logging
import os
import secrets
import tempfile
import threading
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import uvicorn
from fastapi import FastAPI

from opentpe.evidence.load import Library, load
from opentpe.records import accounts, database
from opentpe.records.kinds import Account
from opentpe.records.store import Store
from opentpe.web import auth, seal
from opentpe.web.app import create_app
from opentpe.web.pages import warm
from opentpe.web.settings import Settings, build, check, check_network

_FILE: Final = "OPENTPE_WORKER_SETTINGS"  # how uvicorn's workers learn what the command line said
SETUP_LIFE: Final = timedelta(hours=24)


def now() -> datetime:
    """The machine's clock: only here does the application look at it."""
    return datetime.now(UTC)


def clock_of(pinned: date | None) -> Callable[[], datetime]:
    """The machine's clock; for a demonstration, the same hour on a pinned day."""
    if pinned is None:
        return now
    start = now()
    shift = datetime(pinned.year, pinned.month, pinned.day, start.hour, start.minute, tzinfo=UTC) - start
    return lambda: now() + shift


def application(settings: Settings, pinned: date | None = None) -> FastAPI:
    """The application with its records ready."""
    clock = clock_of(pinned)
    store = Store(settings.database, clock)
    store.prepare()
    app = create_app(settings, store, library_of(settings), clock)
    threading.Thread(target=warm.up, args=(app.state.clinic.library, app.state.clinic.unit), daemon=True).start()
    gc.collect()
    gc.freeze()  # what lives as long as the process is not searched for waste at every call
    gc.set_threshold(50_000, 20, 50)  # a record of 1 MB makes 30,000 objects that all go together
    return app


def library_of(settings: Settings) -> Library:
    """The evidence with the hospital's folders."""
    return load([Path(folder) for folder in settings.evidence])


def setup_code(store: Store) -> str | None:
    """A code for the first account, good for a day; None where there are accounts."""
    if store.count(Account):
        return None
    code = secrets.token_urlsafe(9)
    accounts.use_once(store, auth.setup_key(code), SETUP_LIFE)
    return code


def first_code(settings: Settings) -> str | None:
    """Makes the records where there are none yet; the code for the first account, None where there are accounts."""
    check_network(settings)
    store = Store(settings.database, now)
    store.prepare()
    code = setup_code(store)
    store.close()
    return code


def default_key_file(settings: Settings) -> Path:
    """Beside an SQLite file; in the person's configuration folder for PostgreSQL."""
    path = database.file_of(settings.database)
    return path.with_name(f"{path.name}.key") if path else Path.home() / ".config" / "opentpe" / "key"


def run(settings: Settings, key_file: Path, pinned: date | None = None) -> None:
    """Serves until stopped. InputError where the settings are not safe."""
    settings = check(replace(settings, key=seal.key_of(key_file)))
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    for loud in ("httpx", "alembic"):  # their lines carry addresses
        logging.getLogger(loud).setLevel(logging.WARNING)
    options: dict[str, Any] = {
        "host": settings.host,
        "port": settings.port,
        "ssl_certfile": settings.tls_certificate or None,
        "ssl_keyfile": settings.tls_key or None,
        "proxy_headers": settings.behind_tls_proxy,
        "forwarded_allow_ips": "127.0.0.1" if settings.behind_tls_proxy else "",
        "access_log": False,  # its lines carry addresses of patients
        "server_header": False,
        "timeout_keep_alive": 15,
        "limit_concurrency": 1000,
    }
    if settings.workers == 1:
        uvicorn.run(application(settings, pinned), **options)
        return
    with tempfile.TemporaryDirectory(prefix="opentpe-") as folder:  # readable by this user only
        file = Path(folder) / "settings.json"
        told = asdict(replace(settings, key=b""))
        del told["key"]
        day = pinned.isoformat() if pinned else None
        file.write_text(json.dumps({"settings": told, "key_file": str(key_file.absolute()), "pinned": day}))
        file.chmod(0o600)
        os.environ[_FILE] = str(file)
        uvicorn.run("opentpe.web.serve:worker", factory=True, workers=settings.workers, **options)


def worker() -> FastAPI:
    """The application of one worker process."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(process)d %(levelname)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    told = json.loads(Path(os.environ[_FILE]).read_text(encoding="utf-8"))
    table = {name: value for name, value in told["settings"].items() if value is not None}
    settings = replace(build(table, "workers"), key=seal.key_of(Path(told["key_file"])))
    return application(settings, date.fromisoformat(told["pinned"]) if told["pinned"] else None)
