"""What sessions keep about other systems is encrypted with a key that never enters the database."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from pathlib import Path
from typing import Any

from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from opentpe.errors import InputError


def closed(key: bytes, value: dict[str, Any]) -> str:
    """The value, encrypted and authenticated."""
    return jwe.encrypt_compact({"alg": "dir", "enc": "A256GCM"}, json.dumps(value).encode(), _secret(key))


def opened(key: bytes, text: str) -> dict[str, Any]:
    """The value again; empty where the text is empty, was changed, or was sealed with another key."""
    try:
        plain = jwe.decrypt_compact(text, _secret(key)).plaintext
        value = json.loads(plain or b"{}")
    except (JoseError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def hash_of(*parts: str) -> str:
    """A one-way name for a token, a person's name or an address."""
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def _secret(key: bytes) -> OctKey:
    return OctKey.import_key(hashlib.sha256(b"opentpe seal" + key).digest())


def key_of(path: Path) -> bytes:
    """The key kept in a file that only its owner reads; made on first use."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as made:
            made.write(secrets.token_bytes(32))
    except FileExistsError:
        pass
    except OSError as error:
        raise InputError(
            str(path), f"a place that cannot be written ({error.strerror})", "a writable folder"
        ) from error
    key = path.read_bytes()
    if len(key) < 32:
        raise InputError(str(path), f"{len(key)} bytes", "a key of 32 bytes", "Remove the file; people sign in again.")
    return key
