"""JSON from other machines: read quickly, refused as strictly as a file, and read to the same decision."""

import json
import tomllib
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from opentpe import consultation
from opentpe.errors import InputError
from opentpe.fhir import source
from opentpe.web import cds_cards, cds_hooks, incoming
from opentpe.web.cds_prefetch import gather

ROOT = Path(__file__).resolve().parents[3]
INDEX = tomllib.loads((ROOT / "examples" / "index.toml").read_text())
VIEW = "/cds-services/opentpe-patient-view"
LEAVES = st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False, allow_infinity=False)
TREES = st.recursive(
    LEAVES | st.text(alphabet='ab"\\[]{}\n/é'), lambda deeper: st.lists(deeper) | st.dictionaries(st.text(), deeper)
)


def depth(node: Any) -> int:
    """The slow way round."""
    if isinstance(node, dict | list):
        return 1 + max((depth(child) for child in (node.values() if isinstance(node, dict) else node)), default=0)
    return 0


@given(TREES, st.booleans())
def test_what_is_written_is_read_and_its_depth_is_counted(tree: Any, escaped: bool) -> None:
    """Brackets and quotes inside texts count for nothing."""
    body = json.dumps(tree, ensure_ascii=escaped).encode()
    assert incoming.decoded(body) == tree
    assert incoming.nesting(body) == depth(tree)


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[1,]", b"NaN", b"[-Infinity]", b'{"a": 1e400}', b'"\\ud800"', b'"\xff"', b"{} {}", b"[" * 50_000],
)
def test_what_is_no_json_is_refused(body: bytes) -> None:
    """Infinite numbers, half characters, broken bytes and nesting without end are none."""
    with pytest.raises(ValueError, match=r"."):
        incoming.decoded(body)


def test_a_mark_at_the_start_does_no_harm() -> None:
    """Some machines write one before UTF-8."""
    assert incoming.decoded(b"\xef\xbb\xbf[1]") == [1]


def hold(levels: int) -> Any:
    made: Any = 1
    for _ in range(levels):
        made = [made]
    return made


@pytest.mark.parametrize("levels", range(55, 67))
def test_a_call_is_as_deep_as_a_file_may_be(make: Any, ehr: Any, levels: int) -> None:
    """What the reader of files refuses for its depth, the hook refuses too, wherever it stands."""
    here = make(open_hooks=True).app.state.clinic
    for place in ("patient", "observations"):
        said = ehr.call("scenario-a")
        holder = said["prefetch"][place]
        (holder if place == "patient" else holder["entry"][0]["resource"])["extension"] = hold(levels)
        body = json.dumps(said).encode()
        found = gather(here, cds_hooks._call(incoming.decoded(body), "patient-view", incoming.nesting(body)), None)
        try:
            source.load(found.bundle)
            refused = False
        except InputError:
            refused = True
        assert not (found.sound and refused), (place, levels)


def test_a_call_that_nests_too_deeply_gets_a_card_that_says_so(make: Any, ehr: Any) -> None:
    """As a file would."""
    said = ehr.call("scenario-a")
    said["prefetch"]["observations"]["entry"][0]["resource"]["extension"] = hold(80)
    (card,) = make(open_hooks=True).post(VIEW, json=said).json()["cards"]
    assert "nesting deeper than 64 levels" in card["detail"]


def stored(text: str) -> dict[str, Any]:
    """A bundle as a server keeps it: what had no identifier got one, and references follow."""
    for entry in json.loads(text)["entry"]:
        url = entry.get("fullUrl", "")
        text = (
            text.replace(f'"{url}"', f'"{entry["resource"]["resourceType"]}/{url[9:]}"')
            if url[:9] == "urn:uuid:"
            else text
        )
    made: dict[str, Any] = json.loads(text)
    for entry in made["entry"]:
        entry["resource"].setdefault("id", entry.get("fullUrl", "").rpartition("/")[2])
        entry.pop("request", None)
    return made


@pytest.mark.parametrize("name", sorted(INDEX))
def test_hook_and_command_line_say_the_same_of_every_example(
    make: Any, ehr: Any, clock: Any, examples: Path, library: Any, tmp_path: Path, name: str
) -> None:
    """Summary, reasons, gaps, alerts and dates of the card are those of the decision on the file."""
    on = INDEX[name]["on"]
    clock.at = datetime.fromisoformat(f"{on}T09:00:00+00:00")
    browser: TestClient = make(open_hooks=True)
    here, bundle = browser.app.state.clinic, stored((examples / name).read_text())
    (tmp_path / name).write_text(json.dumps(bundle))
    said = type(ehr)(tmp_path).call(name.removesuffix(".json"))
    decision = consultation.decide(bundle, date.fromisoformat(str(on)), library=library, unit=here.unit).decision
    cards = browser.post(VIEW, json=said).json()["cards"]
    assert len(cards) == (decision.advice not in cds_cards.QUIET)
    desk = cds_cards.desk(here.settings.language, here.settings.base_url, library.digest, ())
    asked = cds_hooks._call(said, "patient-view", 0)
    for card in cards:
        wanted = cds_cards.advice_card(asked, decision, desk, None)
        assert {key: card[key] for key in wanted} == wanted
