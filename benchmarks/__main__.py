"""Measures everything in one run and writes docs/benchmarks.md."""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks import choices, course, crowd, machine, procedure
from opentpe.kernel import gpu, march

PAGE = Path("docs/benchmarks.md")
EXAMPLE, DAY = Path("examples/scenario-a.json"), "2026-02-18"


def _slope(counts, seconds) -> float:
    """Slope of time over count in double logarithms: 1 is linear."""
    return float(np.polyfit(np.log(counts), np.log(seconds), 1)[0])


def slopes() -> list[tuple[str, str, float]]:
    """How time grows with patients, sessions and solutes."""
    bench = course.prepare(1600)
    everyone = bench.run.people
    counts = (100, 400, 1600)
    crowds = [
        everyone._replace(**{f: a[:n] for f, a in everyone._asdict().items() if f not in _SHARED}) for n in counts
    ]
    times = [n * course.kinetics_s(c, bench.plan, 4) for n, c in zip(counts, crowds, strict=True)]
    linear = [k for k in bench.run.columns.keys if not k.startswith(("igg", "anti"))]
    under_fcrn = ["igg", "igg1", "igg2", "igg4", "anti_aqp4_igg", "anti_mog_igg"]
    return [
        ("patients", counts, _slope(counts, times)),
        _grow("sessions", (4, 8, 16, 32), lambda n: course.prepare(100, sessions=n)),
        _grow("linear solutes", (4, 8, 16), lambda n: course.prepare(100, tuple(linear[:n]))),
        _grow("solutes under FcRn", (2, 4, 6), lambda n: course.prepare(100, tuple(under_fcrn[:n]))),
    ]


_SHARED = ("law", "igg_weight")


def _grow(name, counts, prepare):
    benches = [prepare(n) for n in counts]
    return name, counts, _slope(counts, [course.kinetics_s(b.run.people, b.plan, 8) for b in benches])


def startup():
    """Rows of commands: wall seconds, best of three, kernels cached."""
    with tempfile.TemporaryDirectory() as folder:
        commands = [["--help"]]
        if EXAMPLE.exists():
            commands += [["decide", str(EXAMPLE), "--on", DAY]]
            commands += [["consult", str(EXAMPLE), "--on", DAY, "--out", folder]]
        found = [("opentpe " + words[0], min(_wall(words) for _ in range(3))) for words in commands]
    return [(name, f"{seconds:.2f} s", "wall, warm cache", _aim(name)) for name, seconds in found]


def _wall(words: list[str]) -> float:
    start = time.perf_counter()
    installed = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}  # as a user has it
    subprocess.run([sys.executable, "-m", "opentpe", *words], check=True, capture_output=True, env=installed)
    return time.perf_counter() - start


def main() -> None:
    """Runs, prints and writes."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--patients", type=int, default=100_000, help="size of the large cohort")
    arguments.add_argument("--write", type=Path, default=PAGE)
    given = arguments.parse_args()
    text = report(given.patients)
    given.write.write_text(text, encoding="utf-8")
    print(text)


def report(patients: int) -> str:
    """The page."""
    where = machine.name()
    bench = course.prepare()
    people = bench.run.people
    ours, errors = course.kinetics_s(people, bench.plan), course.our_errors(people, bench.plan)
    count, rate = course.operations(people, bench.plan), machine.operations_per_s()
    rows = [
        *_one_course(bench, ours, errors),
        *_crowds(patients),
        _device(bench),
        *procedure.rows(),
        *choices.rows(),
        *startup(),
    ]
    growth = [f"| {name} | {', '.join(map(str, counts))} | {slope:.2f} |" for name, counts, slope in slopes()]
    return _PAGE.format(
        machine=where,
        solutes=len(bench.run.columns.keys),
        weeks=course.WEEKS,
        outputs=course.OUTPUTS,
        rows="\n".join("| " + " | ".join(row) + " |" for row in rows),
        growth="\n".join(growth),
        worst=f"{errors.max():.0e}",
        count=f"{count:,}",
        rate=f"{rate / 1e9:.1f}",
        used=f"{count / ours / 1e9:.2f}",
        share=f"{100 * count / ours / rate:.0f}",
    )


def _one_course(bench, ours, errors):
    """Rows of one course: ours, the rival, the ratio, the full physiology."""
    patient = course.typical(errors)
    rival = course.roadrunner(bench, patient)
    at_rest, sessions, moving = course.physiology_s()
    tolerance = f"error {rival.error:.1e} at tolerance {rival.tolerance:g}"
    parts = f"sessions {1e3 * sessions:.2f}, solutes before {1e3 * at_rest:.2f} and after {1e3 * moving:.2f}"
    return [
        ("course kinetics, ours, per core", f"{1e3 * ours:.3f} ms", f"error {errors[patient]:.1e}", "0.1 ms"),
        ("course kinetics, libRoadRunner, per core", f"{1e3 * rival.seconds:.2f} ms", tolerance, "-"),
        ("ratio", f"{rival.seconds / ours:.0f} times", "both within 1e-6 of a tight reference", "10 times"),
        (
            "full course, sessions by the minute, per core",
            f"{1e3 * (at_rest + sessions + moving):.2f} ms",
            parts,
            "1 ms",
        ),
    ]


def _crowds(patients):
    """Rows of a large cohort: kinetics alone, then with every session's physiology."""
    kinetics, full = crowd.measure(patients, full=False), crowd.measure(patients, full=True)
    alone = f"draws {kinetics['draws']:.1f}, courses {kinetics['kinetics']:.1f}; peak {kinetics['memory_mb']:.0f} MB"
    shares = f"draws {full['draws']:.1f}, sessions {full['sessions']:.1f}, solutes {full['kinetics']:.1f}"
    felt = f"{shares}; peak {full['memory_mb']:.0f} MB"
    name = f"{patients:,} patients"
    return [
        (f"{name}, kinetics, all cores", f"{_sum(kinetics):.1f} s", alone, "60 s, 2 GB"),
        (f"{name}, full course, all cores", f"{_sum(full):.1f} s", felt, "60 s, 2 GB"),
    ]


def _device(bench):
    """The row of the graphics processor, or why there is none."""
    name = "kinetics on a graphics processor"
    if gpu.missing():
        return (name, "skipped", gpu.missing(), "-")
    people = bench.run.people
    gpu.course_all(people, bench.plan)
    start = time.perf_counter()
    found = gpu.course_all(people, bench.plan)
    rate = people.plasma_ml.size / (time.perf_counter() - start)
    apart = np.max(np.abs(found.concentration / march.course_all(people, bench.plan).concentration - 1))
    return (name, f"{rate:,.0f} courses a second", f"differs from the CPU by {apart:.0e}", "1e-9")


def _sum(spent):
    return spent["draws"] + spent["kinetics"] + spent["sessions"]


def _aim(command: str) -> str:
    return {"opentpe --help": "0.4 s", "opentpe consult": "3 s"}.get(command, "-")


_PAGE = """# Benchmarks

Written by `make bench` in one run on {machine}. Ratios travel between machines; seconds do not.

One course: five sessions, {weeks} weeks after, {solutes} solutes, {outputs} output times. Processor time of one core,
best of several passes; the cohort rows are wall time. The patient compared has the median error of 200; the largest
of them is {worst}, where IgG is so low that its catabolism stops and the law has a corner.

| what | found | detail | aim |
|---|---|---|---|
{rows}

## How time grows

Slope of time over count in double logarithms: 1 is linear, below 1 a fixed part remains.

| with | counts | slope |
|---|---|---|
{growth}

## How far from the machine's limit

One course takes about {count} additions and multiplications, counted from its steps. One core of this machine does
{rate} thousand million of them a second in a loop of independent multiply-adds; the kernel does {used}, which is
{share} per cent. The rest goes to divisions, exponentials, and chains in which each number waits for the one before.
"""


if __name__ == "__main__":
    main()
