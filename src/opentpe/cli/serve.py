<<<<<<< HEAD
"""`opentpe serve`: the clinic's application."""
=======
"""`opentpe serve`: the clinic's application, embedded database, on this machine only unless told otherwise."""
>>>>>>> pages

from __future__ import annotations

from pathlib import Path
<<<<<<< HEAD
from typing import Annotated, Any

import typer

from opentpe.cli import common
from opentpe.errors import InputError


def command(
    database: Annotated[
        str | None, typer.Option("--database", help=f"sqlite:///FILE or postgresql://… Default: {common.DATABASE}")
    ] = None,
    settings: Annotated[Path | None, typer.Option("--settings", help="Settings file (TOML).")] = None,
    host: Annotated[
        str | None, typer.Option("--host", help="Address to listen on. Default: this machine only.")
    ] = None,
    port: Annotated[int | None, typer.Option("--port", min=1, max=65535, help="Port. Default: 8377.")] = None,
    public_url: Annotated[str | None, typer.Option("--public-url", help="The address people type.")] = None,
    tls_certificate: Annotated[Path | None, typer.Option("--tls-certificate", help="Certificate (PEM).")] = None,
    tls_key: Annotated[Path | None, typer.Option("--tls-key", help="Its private key (PEM).")] = None,
    behind_tls_proxy: Annotated[
        bool, typer.Option("--behind-tls-proxy", help="A proxy on this machine ends TLS.")
    ] = False,
    plain_http: Annotated[
        bool, typer.Option("--plain-http", help="Accept clear text on other interfaces. Passwords can be read.")
    ] = False,
    workers: Annotated[int | None, typer.Option("--workers", min=1, max=64, help="Processes. Default: 1.")] = None,
    key_file: Annotated[
        Path | None, typer.Option("--key-file", help="Key that encrypts sessions; made if new.")
    ] = None,
    unit: common.UnitFile = None,
    evidence: common.Overlay = None,
    demo: Annotated[
        bool, typer.Option("--demo", help="A unit with invented patients; records are thrown away at the end.")
    ] = False,
) -> None:
    """Serve the clinic's application: records, pages and the CDS service."""
    said: dict[str, Any] = {
        "database": database,
        "host": host,
        "port": port,
        "public_url": public_url,
        "tls_certificate": str(tls_certificate) if tls_certificate else None,
        "tls_key": str(tls_key) if tls_key else None,
        "behind_tls_proxy": behind_tls_proxy or None,
        "plain_http": plain_http or None,
        "workers": workers,
        "unit_file": str(unit) if unit else None,
        "evidence": [str(folder) for folder in evidence] if evidence else None,
    }
    _serve({name: value for name, value in said.items() if value is not None}, settings, key_file, demo)


def _serve(said: dict[str, Any], file: Path | None, key_file: Path | None, demo: bool) -> None:
    try:
        from opentpe.web import serve, settings
    except ModuleNotFoundError as error:
        raise InputError(
            "opentpe serve", f"no {error.name}", "the extra [web]", "Install it: pip install 'opentpe[web]'"
        ) from None
    wanted = settings.read(file, **said) if file else settings.build(said, "command line")
    if demo:
        from opentpe.cli.demo import examples_folder
        from opentpe.web import demonstration

        demonstration.run(wanted, examples_folder(), lambda text: print(text, flush=True))
        return
    code = serve.first_code(wanted)
    print(f"OpenTPE serves {wanted.base_url}", flush=True)
    if code is not None:
        print(f"No account yet. Open {wanted.base_url}/setup and give this code: {code}", flush=True)
    serve.run(wanted, key_file or serve.default_key_file(wanted))
=======
from typing import TYPE_CHECKING, Annotated, Any

import typer

from opentpe.errors import InputError

if TYPE_CHECKING:
    from fastapi import FastAPI

    from opentpe.evidence.load import Library
    from opentpe.records.store import Store
    from opentpe.web.settings import Settings

KEY_BYTES = 32


def command(
    config: Annotated[Path | None, typer.Option("--config", help="Settings file in TOML.")] = None,
    database: Annotated[str | None, typer.Option("--database", help="sqlite:///FILE or postgresql://…")] = None,
    host: Annotated[str | None, typer.Option("--host", help="Address to listen on. Default: this machine.")] = None,
    port: Annotated[int | None, typer.Option("--port", help="Default: 8377.")] = None,
    public_url: Annotated[str | None, typer.Option("--public-url", help="The address people type.")] = None,
    tls_certificate: Annotated[str | None, typer.Option("--tls-certificate")] = None,
    tls_key: Annotated[str | None, typer.Option("--tls-key")] = None,
    behind_tls_proxy: Annotated[bool, typer.Option("--behind-tls-proxy")] = False,
    plain_http: Annotated[bool, typer.Option("--plain-http", help="Accept clear text on other addresses.")] = False,
    key_file: Annotated[Path, typer.Option("--key-file", help="Secret of the sessions; made if absent.")] = Path(
        "opentpe.key"
    ),
    workers: Annotated[int | None, typer.Option("--workers", min=1, max=64, help="Processes.")] = None,
    demo: Annotated[bool, typer.Option("--demo", help="Invented patients in a database of their own.")] = False,
) -> None:
    """Serve the clinic's pages and the CDS service."""
    said: dict[str, Any] = {
        "database": database, "host": host, "port": port, "public_url": public_url, "tls_certificate": tls_certificate,
        "tls_key": tls_key, "workers": workers,
    }  # fmt: skip
    flags = {"behind_tls_proxy": behind_tls_proxy, "plain_http": plain_http, "demo": demo}
    given = {k: v for k, v in said.items() if v is not None} | {k: v for k, v in flags.items() if v}
    try:
        settings = _settings(config, given, key_file)
    except ImportError:
        raise InputError("serve", "no web packages", "the extra `web`", "pip install 'opentpe[web]'") from None
    run(settings)


def _settings(config: Path | None, given: dict[str, Any], key_file: Path) -> Settings:
    import secrets
    import tempfile

    from opentpe.web import settings

    if given.get("demo"):
        given.setdefault("database", f"sqlite:///{tempfile.mkdtemp(prefix='opentpe-demo-')}/demo.db")
        given["key"] = secrets.token_bytes(KEY_BYTES)
    else:
        given["key"] = _key(key_file)
    return settings.check(settings.read(config, **given) if config else settings.build(given, "serve"))


def _key(path: Path) -> bytes:
    """The secret of the file, made on first use and readable by its owner only."""
    import os
    import secrets

    if not path.exists():
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
    return path.read_bytes()


def run(settings: Settings) -> None:
    """Opens the records, puts the application together and serves until stopped."""
    from datetime import UTC, datetime

    def clock() -> datetime:
        return datetime.now(UTC)

    from opentpe.evidence.load import load
    from opentpe.records.store import Store
    from opentpe.web.app import create_app

    library = load(tuple(Path(p) for p in settings.evidence))
    store = Store(settings.database, clock)
    store.prepare()
    app = create_app(settings, store, library, clock)
    if settings.demo:
        from opentpe.web.pages import demo

        demo.furnish(store, library, lambda _: app.state.clinic, app.state.clinic.today())
    else:
        _first_account(store, settings)
    typer.echo(f"OpenTPE answers at {settings.base_url}")
    typer.echo("Planning support, education and research. Not a medical device.")
    _listen(app, store, library, settings)


def _first_account(store: Store, settings: Settings) -> None:
    """Prints the code for the first account where there is none."""
    import secrets
    from datetime import timedelta

    from opentpe.records import accounts
    from opentpe.records.kinds import Account
    from opentpe.web.auth import setup_key

    if store.count(Account):
        return
    code = secrets.token_urlsafe(12)
    accounts.use_once(store, setup_key(code), timedelta(hours=1), "")
    typer.echo(f"No account yet. Make the first one at {settings.base_url}/setup with the code {code}")


def _listen(app: FastAPI, store: Store, library: Library, settings: Settings) -> None:
    """Serves in this process, or in several that share the address."""
    import os
    import threading

    import uvicorn

    from opentpe.web.pages import warm

    config = uvicorn.Config(
        app, host=settings.host, port=settings.port, log_level="warning", server_header=False, access_log=False,
        ssl_certfile=settings.tls_certificate or None, ssl_keyfile=settings.tls_key or None,
        proxy_headers=settings.behind_tls_proxy,
    )  # fmt: skip
    socket = config.bind_socket()
    store.close()  # no connection crosses a fork
    children = _fork(settings.workers - 1)
    threading.Thread(target=warm.up, args=(library, app.state.clinic.unit), daemon=True).start()
    try:
        uvicorn.Server(config).run(sockets=[socket])
    finally:
        for pid in children:
            os.kill(pid, 15)


def _fork(count: int) -> list[int]:
    """So many more processes that go on from here; empty in each of them."""
    import os

    children: list[int] = []
    for _ in range(count):
        child = os.fork()
        if child == 0:
            return []
        children.append(child)
    return children
>>>>>>> pages
