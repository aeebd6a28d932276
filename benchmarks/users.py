"""Ten thousand records and two hundred people at once, against a real server on this machine.

    python benchmarks/users.py [--records 10000] [--users 200] [--seconds 20] [--workers 2]

Each person opens a patient, reads the lab values, and every tenth time enters one; five seconds pass between clicks.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import httpx

sys.path.insert(0, str(Path(__file__).resolve().parent))
import hooks

from opentpe.records import accounts, kinds
from opentpe.records.store import Store
from opentpe.web import seal

PAUSE_S = 5.0


def fill(url: str, count: int, users: int) -> tuple[list[str], float]:
    """Patients with nine lab values each and people signed in; the patients, and records written a second."""
    store = Store(url, lambda: datetime.now(UTC))
    store.prepare()
    account = store.add(kinds.Account(name="nurse", role="nurse"), "bench")
    for n in range(users):  # signed in this morning, not all in this second
        accounts.open_session(store, seal.hash_of(f"token-{n}"), account.id, f"csrf-{n}", "", "nurse")
    began, patients = time.perf_counter(), []
    for n in range(count // 10):
        with store.writing("bench", "load") as batch:
            patient = batch.add(kinds.Patient(identifier=f"MRN-{n}", name=f"Patient {n}"))
            for value in range(9):
                lab = kinds.Lab(kind="igg", value=value + 1, unit="g/L", taken_at=f"2026-02-{value + 1:02d}")
                batch.add(lab, patient.id)
        patients.append(patient.id)
    return patients, count / (time.perf_counter() - began)


def person(base: str, patients: list[str], until: float, n: int, took: dict[str, list[float]]) -> None:
    """One person's clicks; every answer must be right and in time."""
    chance = random.Random(n)
    signed_in = {"cookie": f"opentpe=token-{n}", "x-csrf-token": f"csrf-{n}"}
    with httpx.Client(base_url=base, timeout=30, trust_env=False, headers=signed_in) as client:
        time.sleep(chance.uniform(0, PAUSE_S))
        while time.monotonic() < until:
            patient = chance.choice(patients)
            calls = [("GET", f"/api/patients/{patient}", None), ("GET", f"/api/patients/{patient}/labs", None)]
            if chance.random() < 0.1:
                lab = {"kind": "igg", "value": 5, "unit": "g/L", "taken_at": "2026-03-01"}
                calls.append(("POST", "/api/labs", {"patient_id": patient, "body": lab}))
            for method, path, body in calls:
                began = time.perf_counter()
                try:
                    wrong = client.request(method, path, json=body).is_error
                except httpx.HTTPError:
                    wrong = True
                took["failed" if wrong else method].append((time.perf_counter() - began) * 1000)
            time.sleep(PAUSE_S)


def main() -> None:
    """Prints one line for the writing and one for the people."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("--records", 10_000), ("--users", 200), ("--seconds", 20), ("--workers", 2)):
        parser.add_argument(name, type=int, default=default)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/clinic.db"
        patients, rate = fill(url, asked.records, asked.users)
        began = time.perf_counter()
        verdict = Store(url, lambda: datetime.now(UTC)).verify()
        check_s = time.perf_counter() - began
        print(f"{verdict.versions_count} records, {rate:.0f} written a second, chain checked in {check_s:.1f} s")
        settings = Path(folder) / "clinic.toml"
        settings.write_text("port = 18398\n[limits]\nsign_ins_per_min = 100000\nrequests_per_min = 100000\n")
        words = ["serve", "--settings", str(settings), "--database", url, "--workers", str(asked.workers)]
        env = os.environ | {"PYTHONPATH": str(hooks.ROOT / "src")}
        quiet = subprocess.DEVNULL
        server = subprocess.Popen([sys.executable, "-c", hooks.SERVE, *words], env=env, stdout=quiet, stderr=quiet)
        took: dict[str, list[float]] = {"GET": [], "POST": [], "failed": []}
        try:
            hooks.wait("http://127.0.0.1:18398")
            hooks.settle(lambda: hooks.family_s(server.pid))
            until = time.monotonic() + asked.seconds
            base = "http://127.0.0.1:18398"
            before = hooks.family_s(server.pid)
            people = [
                threading.Thread(target=person, args=(base, patients, until, n, took)) for n in range(asked.users)
            ]
            for one in people:
                one.start()
            for one in people:
                one.join()
            spent_s = hooks.family_s(server.pid) - before
        finally:
            server.terminate()
            server.wait()
        for name in ("GET", "POST"):
            cuts = statistics.quantiles(took[name], n=100) if len(took[name]) > 1 else [0.0] * 99
            print(f"{asked.users} people, {len(took[name])} {name}: median {cuts[49]:.0f} ms, p95 {cuts[94]:.0f} ms")
        sound = Store(url, lambda: datetime.now(UTC)).verify().sound
        calls = sum(len(rows) for rows in took.values())
        print(f"{1000 * spent_s / max(calls, 1):.1f} ms of one processor a call, all workers together")
        print(f"failed {len(took['failed'])}, chain {'sound' if sound else 'NOT SOUND'}, load {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
