"""The validation report: studies run through the product, limits judged, misses kept."""

from pathlib import Path

import pytest

from opentpe.errors import InputError
from opentpe.simulation import validate

ROOT = Path(__file__).resolve().parents[3] / "validation"
HEAD = ",".join(validate.HEAD) + "\n"
STUDY = """
kind = "solutes"
source = "keller1979"
question = "Does it fall?"
assumed = "nothing."

[subject]
sex = "male"
height_cm = 175
weight_kg = 70
hct = 0.42

[[arm]]
key = "one"
plasma_volumes = 1.39
starts_h = [0]

[[limit]]
arm = "one"
solute = "fibrinogen"
when = "post1"
metric = "remaining"
low = 20
high = 30
basis = "pass line"
"""


@pytest.fixture(scope="module")
def result(library):
    return validate.run(ROOT, library)


def _folder(
    tmp_path: Path, study: str = STUDY, rows: str = "one,fibrinogen,post1,remaining,25,%,18,,abstract,primary\n"
):
    folder = tmp_path / "small"
    folder.mkdir()
    (folder / "study.toml").write_text(study)
    (folder / "observed.csv").write_text(HEAD + rows)
    return folder


def test_a_study_is_judged_on_its_median(tmp_path, library):
    """Fibrinogen after one large exchange lies within 25 +/- 5 % (Keller)."""
    (row,) = validate.judge(validate.read(_folder(tmp_path)), library)
    assert row.hit is True
    assert row.p05 < row.median < row.p95


def test_the_same_study_with_a_wrong_limit_is_a_miss(tmp_path, library):
    """The verdict can fail."""
    wrong = STUDY.replace("low = 20", "low = 40").replace("high = 30", "high = 50")
    (row,) = validate.judge(validate.read(_folder(tmp_path, wrong)), library)
    assert row.hit is False


def test_every_published_row_has_a_prediction(result):
    """No row is left out and none is not a number."""
    rows = (*result.calibration, *result.validation)
    assert sum(len(s.observed) for s in result.studies) == len(rows)
    assert all(row.p05 <= row.median <= row.p95 for row in rows)


def test_known_misses_stay_in_the_report(result, library):
    """C3 at 72 h, IVIG mass and rituximab AUC are shown as misses with an explanation."""
    misses = {(r.study, r.observed.solute): r.explanation for r in result.validation if r.hit is False}
    for key in (("orlin-1980", "c3"), ("moriya-ivig", "igg+ivig"), ("puisset-2013", "rituximab")):
        assert misses[key]
    text = validate.render(result, library)
    assert text.count("**miss**") == sum(r.hit is False for r in (*result.validation, *result.calibration))


def test_every_miss_is_explained(result):
    """A miss without a reason does not pass."""
    assert [r.study for r in (*result.calibration, *result.validation) if r.hit is False and not r.explanation] == []


def test_every_known_miss_says_what_was_tried(result, library):
    """Seven investigations, each on rows that exist, stand on the page with today's verdict."""
    rows = {(r.study, r.observed.solute) for r in (*result.calibration, *result.validation)}
    assert len(result.cases) == 7
    assert {tuple(row) for case in result.cases for row in case["rows"]} <= rows
    text = validate.render(result, library)
    assert all(f"**{case['title']}**" in text and case["tried"] and case["found"] for case in result.cases)


def test_calibration_and_validation_share_no_row(result):
    """A row that a parameter was fitted to is not counted as a prediction."""
    fitted = {(r.source, r.observed.arm, r.observed.solute, r.observed.when) for r in result.calibration}
    assert not fitted & {(r.source, r.observed.arm, r.observed.solute, r.observed.when) for r in result.validation}


@pytest.mark.parametrize(
    ("study", "rows", "where"),
    [
        (STUDY.replace('kind = "solutes"', 'kind = "magic"'), None, "kind"),
        (STUDY, "one,fibrinogen,post1\n", "line 2"),
        (STUDY.replace('when = "post1"', 'when = "post9"'), None, "limit"),
        (STUDY, "one,fibrinogen,someday,remaining,25,%,18,,abstract,primary\n", "when"),
        ("not toml [", None, "small"),
    ],
)
def test_a_study_that_cannot_be_read_is_named(tmp_path, library, study, rows, where):
    """Unknown kind, short row, limit without a row, unknown time, broken file."""
    good = "one,fibrinogen,post1,remaining,25,%,18,,abstract,primary\n"
    if where == "when":
        study = study[: study.index("[[limit]]")]
    with pytest.raises(InputError) as refused:
        validate.judge(validate.read(_folder(tmp_path, study, rows or good)), library)
    assert where in refused.value.where


def test_doubled_fibrinogen_synthesis_breaks_the_keller_row(tmp_path, library, monkeypatch):
    """The five-day row can tell a wrong synthesis: doubled, it leaves more than 14.7 %."""
    from opentpe.simulation import cohort

    people = cohort.people

    def doubled(*args, **kwargs):
        made = people(*args, **kwargs)
        return made._replace(synthesis_ratio=2 * made.synthesis_ratio)

    monkeypatch.setattr(cohort, "people", doubled)
    rows = {
        (r.observed.solute, r.observed.when): r
        for r in validate.judge(validate.read(ROOT / "calibration" / "keller-1979"), library)
    }
    assert rows["fibrinogen", "post5"].hit is False


def test_the_report_is_written_where_asked(tmp_path):
    """`main` writes the page and gives back what it holds."""
    page = tmp_path / "validation.md"
    found = validate.main(page, ROOT)
    assert page.read_text().startswith("# Validation")
    assert validate.summary(found).startswith("validation: ")
