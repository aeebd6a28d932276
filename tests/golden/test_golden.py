"""Every example's consultation in brief, pinned: a change that moves a number shows which, and by how much."""

import json
import tomllib
from datetime import date
from pathlib import Path

import pytest

from opentpe import consultation as flow

HERE = Path(__file__).parent
INDEX = tomllib.loads((HERE.parents[1] / "examples" / "index.toml").read_text(encoding="utf-8"))
FORECAST = ("scenario-a.json", "scenario-c.json", "natalizumab.json", "obese.json", "small-42kg.json")


def _decision(result):
    d = result.decision
    return {
        "advice": d.advice.value,
        "reasons": [r.code for r in d.reasons],
        "missing": [m.fact for m in d.missing],
        "alerts": [a.code for a in d.alerts],
        "start_on": str(d.start_on),
        "reassess_on": str(d.reassess_on),
        "first_exchange_by": str(d.first_exchange_by),
        "issues": sorted(i.code for i in result.issues),
    }


def _numbers(result):
    f = result.forecast
    return {
        "words": result.order.words,
        "plasma_volume_ml": result.order.plasma_volume_ml,
        "bag_ml": f.sessions[0].bag_ml,
        "duration_min": f.sessions[0].duration_min,
        "igg_before": [dict(s.pre)["igg"].median for s in f.sessions],
        "igg_after": [dict(s.post)["igg"].median for s in f.sessions],
        "fibrinogen_before": [dict(s.pre)["fibrinogen"].median for s in f.sessions],
        "igg_day_14_p05": dict(f.at("14d").values)["igg"].p05,
        "risks": {r.event: r.per_course.median for r in f.risks if r.per_course},
        "nadir": {name: band.median for name, band in f.sessions[0].nadir},
    }


@pytest.mark.parametrize("name", INDEX)
def test_the_result_is_the_golden_one(name, library, examples, request):
    """Advice, reasons and dates exactly; numbers to 1e-6 of their size."""
    on = date.fromisoformat(str(INDEX[name]["on"]))
    if name in FORECAST:
        result = flow.consult(examples / name, on, library=library, draws=60)
        found = {"decision": _decision(result), "numbers": _numbers(result)}
    else:
        found = {"decision": _decision(flow.decide(examples / name, on, library=library))}
    golden = HERE / name
    if request.config.getoption("--update"):
        golden.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    _compare(json.loads(golden.read_text(encoding="utf-8")), found, name)


def _compare(golden, found, where):
    if isinstance(golden, dict):
        assert golden.keys() == found.keys(), where
        for key in golden:
            _compare(golden[key], found[key], f"{where}.{key}")
    elif isinstance(golden, list):
        assert len(golden) == len(found), where
        for i, (a, b) in enumerate(zip(golden, found, strict=True)):
            _compare(a, b, f"{where}[{i}]")
    elif isinstance(golden, float):
        assert found == pytest.approx(golden, rel=1e-6, abs=1e-9), where
    else:
        assert found == golden, where
