"""`opentpe serve`: the clinic's application."""

from __future__ import annotations

from pathlib import Path
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
    common.compile_once()
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
