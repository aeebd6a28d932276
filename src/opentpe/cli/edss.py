"""`opentpe edss`: functional systems and ambulation to the EDSS, with the convention named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from opentpe.domain.acuity import Acuity
    from opentpe.domain.edss import Score
    from opentpe.evidence.load import Library


def command(
    visual: Annotated[int | None, typer.Option(help="Visual, raw grade 0 to 6.")] = None,
    brainstem: Annotated[int | None, typer.Option(help="Brainstem, 0 to 5.")] = None,
    pyramidal: Annotated[int | None, typer.Option(help="Pyramidal, 0 to 6.")] = None,
    cerebellar: Annotated[int | None, typer.Option(help="Cerebellar, 0 to 5.")] = None,
    sensory: Annotated[int | None, typer.Option(help="Sensory, 0 to 6.")] = None,
    bowel_bladder: Annotated[int | None, typer.Option(help="Bowel and bladder, raw grade 0 to 6.")] = None,
    cerebral: Annotated[int | None, typer.Option(help="Cerebral, 0 to 5.")] = None,
    ambulation: Annotated[int | None, typer.Option(help="Ambulation score, 0 to 16.")] = None,
    walks_m: Annotated[float | None, typer.Option(help="Walking distance in metres, in place of the score.")] = None,
    aid: Annotated[str, typer.Option(help="Aid for that distance: none, unilateral, bilateral.")] = "none",
    acuity_right: Annotated[str, typer.Option(help='Right eye: "20/200", "6/12", "0.5", "logMAR 0.3", "CF".')] = "",
    acuity_left: Annotated[str, typer.Option(help="Left eye, likewise.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="The result as a JSON document.")] = False,
) -> None:
    """EDSS from functional systems and ambulation. What is left out was not examined: the score is then a range."""
    import json

    from opentpe.domain import edss as scale
    from opentpe.evidence.load import load

    library = load()
    rules = scale.convention(library.document("scales/edss"))
    eyes = _eyes(library, acuity_right, acuity_left)
    systems = {
        "visual": _visual(library, eyes) if visual is None and eyes else visual,
        "brainstem": brainstem,
        "pyramidal": pyramidal,
        "cerebellar": cerebellar,
        "sensory": sensory,
        "bowel_bladder": bowel_bladder,
        "cerebral": cerebral,
    }
    if walks_m is not None and ambulation is None:
        ambulation = scale.walk_for(walks_m, aid, rules).score
    found = scale.score(systems, ambulation, rules)
    if as_json:
        typer.echo(json.dumps(_document(found, eyes, rules.sources), indent=2, ensure_ascii=False))
    else:
        _print(found, eyes)


def _eyes(library: Library, right: str, left: str) -> dict[str, Acuity]:
    from opentpe.domain import acuity

    fingers, motion = (library.value(f"scales/acuity.{w}_logmar") for w in ("counting_fingers", "hand_motion"))
    given = (("right", right), ("left", left))
    return {side: acuity.read(text, fingers, motion) for side, text in given if text}


def _visual(library: Library, eyes: dict[str, Acuity]) -> int:
    from opentpe.domain import acuity

    worse_first = sorted(eyes.values(), key=lambda eye: eye.decimal)
    better = worse_first[1] if len(worse_first) > 1 else None
    return acuity.visual_system(worse_first[0], better, acuity.visual_grades(library.document("scales/acuity")))


def _document(found: Score, eyes: dict[str, Acuity], sources: tuple[str, ...]) -> dict[str, object]:
    return {
        "schema": "opentpe.edss/1",
        "edss": found.edss,
        "range": [found.low, found.high],
        "convention": found.convention,
        "converted": dict(found.converted),
        "ambulation": found.ambulation,
        "missing": list(found.missing),
        "acuity": {
            side: {"decimal": eye.decimal, "logmar": eye.logmar, "snellen": eye.snellen_20, "by": eye.convention}
            for side, eye in eyes.items()
        },
        "sources": list(sources),
    }


def _print(found: Score, eyes: dict[str, Acuity]) -> None:
    typer.echo(f"EDSS {found.low:.1f}" if found.edss is not None else f"EDSS {found.low:.1f} to {found.high:.1f}")
    typer.echo(f"Convention: {found.convention}.")
    if found.converted:
        typer.echo("Counted: " + ", ".join(f"{s.replace('_', ' ')} {g}" for s, g in found.converted) + ".")
    for side, eye in eyes.items():
        note = f" ({eye.convention})" if eye.convention else ""
        typer.echo(f"Visual acuity {side}: {eye.snellen_20}, decimal {eye.decimal:.2g}, logMAR {eye.logmar:.2f}{note}.")
    if found.missing:
        typer.echo("Not examined: " + ", ".join(s.replace("_", " ") for s in found.missing) + ".")
