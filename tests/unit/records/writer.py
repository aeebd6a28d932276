"""A program that writes patients with two values each, and says so after each was acknowledged.

Arguments: address, name, how many, limit of the file size in bytes (0: none), user id to become (0: stay).
"""

import os
import resource
import sys
from datetime import UTC, datetime

from opentpe.errors import UnavailableError
from opentpe.records import kinds
from opentpe.records.store import Store


def write(store: Store, name: str, number: int) -> str:
    """One patient with two values, in one batch."""
    at = datetime(2026, 2, 18, tzinfo=UTC)
    with store.writing(name, "load") as batch:
        patient = batch.add(kinds.Patient(identifier=f"{name}-{number}", note="x" * 500))
        for kind in ("igg", "fibrinogen"):
            batch.add(kinds.Lab(kind=kind, value=number, unit="g/L", taken_at=at), patient.id)
    return patient.id


def main(url: str, name: str, count: str, file_limit: str, user: str) -> None:
    """Writes until the count is reached or the database refuses."""
    if int(file_limit):
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(file_limit), int(file_limit)))
    if int(user):
        os.setuid(int(user))
    store = Store(url, lambda: datetime.now(UTC))
    print("ready", flush=True)
    try:
        for number in range(int(count)):
            print("kept", write(store, name, number), flush=True)
    except UnavailableError as error:
        print("refused", error, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
