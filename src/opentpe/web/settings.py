"""How the application is run: addresses, limits, outside sign-in, EHR clients. Safe where nothing is said.

Times and sizes here are technical choices of ours, editable in the settings file; none of them is clinical.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field, fields
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar, get_type_hints
from urllib.parse import urlsplit

import tomli

from opentpe.errors import InputError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Limits:
    """What one caller may ask for."""

    body_bytes: int = 16_000_000
    json_depth: int = 64
    requests_per_min: int = 1200
    hooks_per_min: int = 6000
    sign_ins_per_min: int = 20
    failures_from_one_address: int = 5
    failures_in_all: int = 20
    locked_min: int = 15
    idle_min: int = 60
    session_h: int = 12
    fetch_seconds: float = 5.0
    fetch_pages: int = 20
    fetch_bytes: int = 20_000_000

    @property
    def locked(self) -> timedelta:
        """How long failed sign-ins count."""
        return timedelta(minutes=self.locked_min)


@dataclass(frozen=True, slots=True)
class Oidc:
    """An outside identity provider. `roles` maps values of `roles_claim` to roles; others may not come in."""

    issuer: str
    client_id: str
    client_secret: str = field(default="", repr=False)
    roles_claim: str = "groups"
    roles: dict[str, str] = field(default_factory=dict)
    label: str = "hospital account"


@dataclass(frozen=True, slots=True)
class HookClient:
    """An EHR that may call the CDS service: its `iss`, and its keys as a set or at an address."""

    issuer: str
    jwks: dict[str, Any] = field(default_factory=dict)
    jwks_url: str = ""
    fhir_servers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FhirServer:
    """A FHIR server that may launch the application, or that it may call by itself with its own key."""

    base_url: str
    client_id: str
    scopes: str = "launch openid fhirUser patient/*.rs"
    key_file: str = ""  # private JWK (ES384 or RS384) for backend services and signed client assertions
    backend_scopes: str = "system/*.rs"
    role: str = "viewer"  # role of people who come in by launch for the first time; "" lets in known ones only


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything `create_app` needs to know. `key` encrypts what sessions keep; it never enters the database."""

    database: str = "sqlite:///opentpe.db"
    host: str = "127.0.0.1"
    port: int = 8377
    public_url: str = ""
    tls_certificate: str = ""
    tls_key: str = ""
    behind_tls_proxy: bool = False
    plain_http: bool = False
    key: bytes = field(default=b"", repr=False)
    demo: bool = False
    workers: int = 1
    open_hooks: bool = False  # CDS calls without a token, for trying out on this machine only
    hook_origins: tuple[str, ...] = ()  # browser-based test EHRs
    frame_ancestors: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    unit_file: str = ""
    guideline: str = "asfa-2023"
    language: str = "en"
    limits: Limits = field(default_factory=Limits)
    oidc: Oidc | None = None
    hook_clients: tuple[HookClient, ...] = ()
    fhir_servers: tuple[FhirServer, ...] = ()

    @property
    def secure(self) -> bool:
        """True where people reach the application over TLS."""
        return bool(self.tls_certificate) or self.behind_tls_proxy

    @property
    def base_url(self) -> str:
        """The address people type, without a slash at the end."""
        if self.public_url:
            return self.public_url.rstrip("/")
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.secure else 'http'}://{host}:{self.port}"

    @property
    def host_names(self) -> frozenset[str]:
        """Values of the Host header that are answered: nobody is led here under another name."""
        own = urlsplit(self.base_url).hostname or ""
        names = {own, "localhost", "127.0.0.1", "::1"} if self.loopback else {own}
        return frozenset(names)

    @property
    def loopback(self) -> bool:
        """True where only this machine can reach the application."""
        return self.host == "localhost" or _is_loopback(self.host)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check(settings: Settings) -> Settings:
    """The settings where they are safe; else InputError that says what to add."""
    check_network(settings)
    if len(settings.key) < 32:
        raise InputError("key", f"{len(settings.key)} bytes", "32 bytes or more")
    return settings


def check_network(settings: Settings) -> None:
    """That nobody can listen in, and that nothing open or known faces a network."""
    if bool(settings.tls_certificate) != bool(settings.tls_key):
        raise InputError("--tls-certificate", "one of certificate and key", "both, or neither")
    if not settings.loopback and not settings.secure and not settings.plain_http:
        raise InputError(
            "--host",
            f"{settings.host} without TLS",
            "TLS on every address but this machine's own",
            "Give --tls-certificate and --tls-key, or --behind-tls-proxy, or accept clear text with --plain-http.",
        )
    if (settings.open_hooks or settings.demo) and not settings.loopback:
        raise InputError(
            "open_hooks or demo", f"true on {settings.host}", "false on every address but this machine's own"
        )
    if not settings.loopback and not settings.public_url:
        raise InputError("--public-url", "nothing", "the address people type, as https://tpe.example.org")


def read(path: Path, **over: Any) -> Settings:
    """Settings of a TOML file with what the command line says laid over it; InputError names file and entry."""
    try:
        table = tomli.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomli.TOMLDecodeError) as error:
        raise InputError(str(path), str(error), "a settings file in TOML") from error
    return build(table | over, str(path))


def build(table: dict[str, Any], where: str) -> Settings:
    """Settings from plain values; an unknown or misshapen entry is an InputError."""
    return _filled(Settings, table, where)


_PARTS = {"limits": Limits, "oidc": Oidc, "hook_clients": HookClient, "fhir_servers": FhirServer}


def _filled(kind: type[T], table: Any, where: str) -> T:
    if not isinstance(table, dict):
        raise InputError(where, repr(table), "a table")
    known = {f.name for f in fields(kind)}  # type: ignore[arg-type]
    strange = sorted(set(table) - known)
    if strange:
        raise InputError(where, f"the entry {strange[0]!r}", f"one of {', '.join(sorted(known))}")
    hints = get_type_hints(kind)
    try:
        return kind(**{name: _value(name, value, hints[name], where) for name, value in table.items()})
    except TypeError as error:
        raise InputError(where, str(error), f"a complete table for {kind.__name__.lower()}") from error


def _value(name: str, value: Any, hint: Any, where: str) -> Any:
    if name in _PARTS and not isinstance(value, _PARTS[name] | tuple | None):
        if isinstance(value, list):
            return tuple(_filled(_PARTS[name], row, f"{where}: {name}") for row in value)
        return _filled(_PARTS[name], value, f"{where}: {name}")
    if isinstance(value, list):
        return tuple(str(v) for v in value)
    plain = hint if hint in (bool, int, float, str) else None
    if plain is float and type(value) is int:
        return float(value)
    if plain is not None and type(value) is not plain:
        raise InputError(f"{where}: {name}", repr(value), f"a value of type {plain.__name__}")
    return value
