"""The walk in the terminal: each gate, each rule with its facts, the sources, and what would change the advice."""

from __future__ import annotations

from typing import Final

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from opentpe.report.view import ReportView, TraceStep

_MARKS: Final = {"yes": ("●", "cyan"), "no": ("○", "bright_black"), "open": ("◆", "yellow")}


def print_walk(view: ReportView, console: Console) -> None:
    """Gates and rules in the order walked, then assumptions, sources and versions."""
    for gate in view.knowledge.trace:
        console.print()
        console.print(Text(gate.gate, style="bold"))
        for step in gate.steps:
            _print_step(step, console)
    known = view.knowledge
    for title, table in (("guidelines", known.guidelines), ("definitions", known.definitions)):
        if table:
            _print_list(view.heading(title), ["  ".join(row) for row in table.rows], console)
    _print_list(view.heading("changes"), [f"{c.label}: {c.text}" for c in known.changes], console)
    _print_list(view.heading("assumed"), [said.text for said in view.knowledge.assumed], console)
    numbered = [f"{i}. {text}" for i, text in enumerate(view.knowledge.sources, 1)]
    _print_list(view.heading("sources"), numbered, console)


def _print_step(step: TraceStep, console: Console) -> None:
    mark, colour = _MARKS[step.outcome]
    cites = "".join(f"[{n}]" for n in step.cites)
    head = Text.assemble(
        (f"{mark} {step.outcome_word:4} ", colour), f"{step.condition}", (f"  {step.effect} {cites}", "bright_black")
    )
    console.print(Padding(head, (0, 0, 0, 2)))
    for fact in step.facts:
        console.print(Padding(Text(fact, style="bright_black"), (0, 0, 0, 11)))


def _print_list(title: str, lines: list[str], console: Console) -> None:
    if lines:
        console.print()
        console.print(Text(title, style="bold"))
        for line in lines:
            console.print(Padding(Text(line), (0, 0, 0, 2)))
