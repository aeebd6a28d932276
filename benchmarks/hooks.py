"""Latency of a CDS hook: a prefetch of 1 MB, ten calls a second to one worker, against a real server on this machine.

python benchmarks/hooks.py [--rate 10] [--seconds 30] [--megabytes 1] [--workers 1]

The rate is that of one worker: two workers get twice the calls.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from opentpe.web.cds_prefetch import PATIENT, PREFETCH

DATE = re.compile(r'(?<=")(\d{4}-\d{2}-\d{2})(?=["T])')
ROOT = Path(__file__).resolve().parents[1]
SERVE = "from opentpe.cli import main; main()"
FINDINGS = (
    ("8480-6", "Systolic blood pressure", 120, "mm[Hg]"),
    ("718-7", "Hemoglobin", 13.1, "g/dL"),
    ("2093-3", "Cholesterol", 190, "mg/dL"),
    ("777-3", "Platelets", 250, "10*3/uL"),
    ("4548-4", "Hemoglobin A1c", 5.4, "%"),
    ("2160-0", "Creatinine", 0.8, "mg/dL"),
    ("2571-8", "Triglyceride", 140, "mg/dL"),
    ("8867-4", "Heart rate", 72, "/min"),
)
KEYS = {key: query.partition("?")[0] for key, query in PREFETCH.items() if key != PATIENT}


def body(megabytes: float) -> bytes:
    """Scenario A with years of findings, until the call has the size asked for."""
    text = (ROOT / "examples" / "scenario-a.json").read_text(encoding="utf-8")
    days = datetime.now(UTC).date() - date(2026, 2, 18)  # the example's own day becomes today
    moved = DATE.sub(lambda found: (date.fromisoformat(found[1]) + days).isoformat(), text)
    entries = json.loads(moved)["entry"]
    sent: dict[str, Any] = {
        key: {"resourceType": "Bundle", "entry": [e for e in entries if e["resource"]["resourceType"] == kind]}
        for key, kind in KEYS.items()
    }
    sent["patient"] = next(e["resource"] for e in entries if e["resource"]["resourceType"] == "Patient")
    call = {"hook": "patient-view", "hookInstance": "bench", "context": {"patientId": "anna-a"}, "prefetch": sent}
    size, number = len(json.dumps(call)), 0
    extra: list[dict[str, Any]] = []
    while size < megabytes * 1e6:
        one = observation(number)
        size += len(json.dumps(one)) + 2
        number += 1
        extra.append(one)
    sent["observations"]["entry"] += extra
    return json.dumps(call).encode()


def observation(number: int) -> dict[str, Any]:
    """One of many findings, as large as EHRs send them (about 1 kB): half of the kinds matter to a decision."""
    loinc, name, value, unit = FINDINGS[number % len(FINDINGS)]
    day = (datetime.now(UTC) - timedelta(hours=12 * (number + 1))).strftime("%Y-%m-%dT%H:%M:%SZ")
    category = {"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "laboratory"}
    resource = {
        "resourceType": "Observation",
        "id": f"finding-{number}",
        "meta": {
            "versionId": "1",
            "lastUpdated": day,
            "profile": ["http://hl7.org/fhir/us/core/StructureDefinition/us-core-observation-lab"],
        },
        "identifier": [{"system": "https://ehr.example.org/observations", "value": f"{number:012d}"}],
        "status": "final",
        "category": [{"coding": [category], "text": "Laboratory"}],
        "code": {"coding": [{"system": "http://loinc.org", "code": loinc, "display": name}], "text": name},
        "subject": {"reference": "Patient/anna-a", "display": "Lindqvist, Anna"},
        "encounter": {"reference": f"Encounter/{number // 8}", "display": "Office visit"},
        "effectiveDateTime": day,
        "issued": day,
        "valueQuantity": {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit},
        "referenceRange": [{"text": "see laboratory handbook"}],
    }
    return {"fullUrl": f"https://ehr.example.org/fhir/Observation/finding-{number}", "resource": resource}


def run(base: str, content: bytes, rate: float, seconds: float) -> tuple[list[float], int]:
    """Latencies in ms from the moment each call was due, and how many failed."""
    took: list[float] = []
    failed = 0
    lock = threading.Lock()
    with httpx.Client(base_url=base, timeout=30, trust_env=False) as client, ThreadPoolExecutor(40) as pool:

        def call(due: float) -> None:
            nonlocal failed
            answer = client.post("/cds-services/opentpe-patient-view", content=content)
            with lock:
                took.append((time.perf_counter() - due) * 1000)
                failed += answer.status_code != httpx.codes.OK or not answer.json()["cards"]

        for _ in range(5):  # warm
            call(time.perf_counter())
        took.clear()
        failed = 0
        began = time.perf_counter()
        for n in range(int(rate * seconds)):
            due = began + n / rate
            time.sleep(max(0.0, due - time.perf_counter()))
            pool.submit(call, due)
    return took, failed


def processor_s(process: int) -> float:
    """Processor seconds a process has used so far, its threads included."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def family_s(parent: int) -> float:
    """Processor seconds of a server and its workers."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text(encoding="utf-8").split()
    return processor_s(parent) + sum(processor_s(int(child)) for child in children)


def main() -> None:
    """Prints one line of figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rate", type=float, default=10)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--megabytes", type=float, default=1)
    parser.add_argument("--workers", type=int, default=1)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        settings = Path(folder) / "clinic.toml"
        settings.write_text(
            f"open_hooks = true\nport = 18399\nworkers = {asked.workers}\n[limits]\nhooks_per_min = 100000\n"
        )
        words = ["serve", "--settings", str(settings), "--database", f"sqlite:///{folder}/clinic.db"]
        env = os.environ | {"PYTHONPATH": str(ROOT / "src")}
        server = subprocess.Popen(
            [sys.executable, "-c", SERVE, *words], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            base = "http://127.0.0.1:18399"
            wait(base)
            content = body(asked.megabytes)
            rate = asked.rate * asked.workers
            run(base, content, rate, 2)  # the model compiles in the background at first
            settle(lambda: family_s(server.pid))
            before = family_s(server.pid)
            took, failed = run(base, content, rate, asked.seconds)
            spent_ms = 1000 * (family_s(server.pid) - before) / (len(took) + 5)
        finally:
            server.terminate()
            server.wait()
    cuts = statistics.quantiles(took, n=100)
    print(
        f"{len(took)} calls of {len(content) / 1e6:.2f} MB at {rate:g}/s, workers {asked.workers}, "
        f"load {os.getloadavg()[0]:.1f}: median {cuts[49]:.0f} ms, p95 {cuts[94]:.0f} ms, p99 {cuts[98]:.0f} ms, "
        f"failed {failed}; {spent_ms:.0f} ms of one processor a call"
    )


def settle(used_s: Callable[[], float], most_s: float = 300) -> None:
    """Until the server has compiled what it compiles at its start: a tenth of a processor at most for three seconds."""
    until = time.monotonic() + most_s
    while time.monotonic() < until:
        before = used_s()
        time.sleep(3)
        if used_s() - before < 0.3:
            return


def wait(base: str, seconds: float = 60) -> None:
    """Until the server answers."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            if httpx.get(f"{base}/health", trust_env=False).status_code == httpx.codes.OK:
                return
        except httpx.HTTPError:
            time.sleep(0.2)
    raise SystemExit("the server did not start")


if __name__ == "__main__":
    main()
