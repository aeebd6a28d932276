"""`opentpe trial`: a protocol on virtual patients, in parts that survive a kill."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from opentpe.cli import common, learning
from opentpe.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def command(
    spec: Annotated[Path, typer.Argument(help="The trial's specification, TOML.")],
    out: learning.Out = Path("out/trial"),
    scheduler: Annotated[str, typer.Option("--scheduler", help="A Dask scheduler, tcp://HOST:PORT.")] = "",
    replay: Annotated[int | None, typer.Option("--replay", help="Run this patient again, in full detail.")] = None,
    device: Annotated[str, typer.Option("--device", help="auto, cpu or gpu: what the courses run on.")] = "auto",
    patients: Annotated[int | None, typer.Option("--patients", min=1, help="Instead of the specification's.")] = None,
    unit: common.UnitFile = None,
    evidence: common.Overlay = None,
    as_json: common.AsJson = False,
) -> None:
    """Run arms on virtual patients: endpoints, paired differences, power, what matters. A stopped trial resumes."""
    try:
        from opentpe.simulation import device as devices
        from opentpe.simulation import protocol, summary, trial
    except ModuleNotFoundError as error:
        raise InputError(
            "opentpe", f"no {error.name}", "the extra [tables]", "Install it: pip install 'opentpe[tables]'"
        ) from None
    from dataclasses import replace

    from opentpe.domain import documents
    from opentpe.report import learning as pages
    from opentpe.report import learning_text

    common.compile_once()
    library = common.library(evidence)
    settings = common.unit_settings(library, unit)
    one = protocol.read(spec, library)
    one = replace(one, patients=patients) if patients else one
    chosen = devices.choose("cpu" if scheduler and device == "auto" else device, trial.device_of(out))
    common.compile_once()
    if replay is not None:
        found = trial.replay(one, replay, library, settings, chosen.device)
        common.print_json({"schema": "opentpe.replay/1", "patient": replay, "arms": [_arm(r) for r in found]})
        return
    if not as_json:
        sys.stderr.write(chosen.said + "\n")
    begin = time.monotonic()
    with _bar(one.name, quiet=as_json) as (progress, fresh):
        if scheduler:
            from opentpe.simulation import cluster

            digest = cluster.run(one, out, library, settings, scheduler, evidence or (), progress, chosen.device)
        else:
            digest = trial.run(one, out, library, settings, progress, chosen.device)
    rate = fresh() / max(time.monotonic() - begin, 1e-9)
    from opentpe.simulation import sensitivity

    result = summary.summarise(
        out, one, library, digest, rate_per_s=rate, device=chosen.device,
        influences=sensitivity.sobol(one, library, settings),
    )  # fmt: skip
    if as_json:
        common.print_json(documents.document("trial", result))
        return
    view = pages.trial_view(result, library)
    learning_text.print_view(view)
    learning.leave("trial", pages.html(view), result, out)


def _arm(r: Any) -> dict[str, Any]:
    from opentpe.domain.documents import encode

    return {
        k: dict(v) if k in ("before", "after", "within", "endpoints") else encode(v) for k, v in r._asdict().items()
    }


@contextmanager
def _bar(name: str, *, quiet: bool) -> Iterator[tuple[Callable[[int, int], None], Callable[[], int]]]:
    """A progress bar with count, rate and time to go, and how many patients this run made."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    seen: list[int] = []
    console = Console(stderr=True, quiet=quiet)
    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"),
        TextColumn("to go"), TimeRemainingColumn(),
    )  # fmt: skip
    begin = time.monotonic()
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(name, total=None, rate="")

        def progress(done: int, total: int) -> None:
            seen.append(done)
            made = done - seen[0]
            rate = f"{made / max(time.monotonic() - begin, 1e-9):.0f} patients/s" if made else ""
            bar.update(task, completed=done, total=total, rate=rate)

        yield progress, lambda: seen[-1] - seen[0] if seen else 0
