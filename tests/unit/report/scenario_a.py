"""A hand-made consultation: scenario A of the acceptance scenarios (F 34, unchanged after steroids on day 16)."""

from datetime import date, timedelta

from scenario_a_forecast import forecast, order

from opentpe.domain.consultation import Band, Benefit, Consultation, Contribution, Option, Versions
from opentpe.domain.decision import Absence, Advice, Alert, Decision, Fact, Missing, Reason, Step
from opentpe.domain.patient import Issue, Observation, Patient, When
from opentpe.domain.relapse import Relapse, SteroidCourse, SteroidDose
from opentpe.domain.sourced import Citation

ON = date(2026, 2, 18)
FIRST = date(2026, 2, 20)


def patient() -> Patient:
    seen = When.day(ON)
    rows = [
        ("weight", 68, "kg"),
        ("height", 168, "cm"),
        ("haematocrit", 0.38, "1"),
        ("fibrinogen", 3.0, "g/L"),
        ("igg", 9.5, "g/L"),
        ("edss", 4.0, "1"),
    ]
    found = tuple(Observation(k, v, u, seen, f"Observation/{k}-1") for k, v, u in rows)
    coded = (
        Observation("veins_left", None, "", seen, "Observation/veins-left", answer="good"),
        Observation("target_deficit", None, "", seen, "Observation/target", answer="paraparesis", text="weak legs"),
        Observation("aqp4_igg", None, "", When.day(date(2026, 2, 6)), "Observation/aqp4", answer="negative"),
        Observation("mog_igg", None, "", When.day(date(2026, 2, 6)), "Observation/mog", answer="negative"),
    )
    return Patient("A-1", "female", When.day(date(1991, 5, 3)), "Example, Anna", found + coded)


def relapse() -> Relapse:
    doses = tuple(
        SteroidDose(
            date(2026, 2, 9) + timedelta(days=i),
            "methylprednisolone",
            1000,
            1000,
            "iv",
            f"MedicationAdministration/mp-{i}",
        )
        for i in range(5)
    )
    onset = When.day(date(2026, 2, 2))
    return Relapse(
        onset,
        "ms_relapse",
        "Condition/relapse",
        "Relapse",
        "",
        "moderate",
        "relapsing",
        (SteroidCourse(doses),),
        2.5,
        4.0,
    )


def decision() -> Decision:
    edss = Fact("edss_rise", 1.5, ("Observation/edss-1",), 0)
    day = Fact("day", 16, ("Condition/relapse",))
    steroids = Fact("steroids_methylprednisolone_mg", 5000, ("MedicationAdministration/mp-0",), 5)
    response = Fact("steroid_response", "none", ("Observation/response",), 0)
    reasons = (
        Reason("refractory_moderate", "G6", (edss, response), ("aan2011", "asfa2023"), "AAN B; ASFA II, 1A"),
        Reason("steroids_adequate", "G4", (steroids,), ("practice",), "local default"),
        Reason("neutral_trial", "G6", (), ("brochet2020",), "randomised, n = 31"),
        Reason("window", "G6", (day,), ("asfa2023",), "ASFA note"),
    )
    trace = (
        Step("G0", "attack_on_record", "onset is known", True, (day,), "go on"),
        Step(
            "G1",
            "infection",
            "temperature ≥ 38 °C or symptoms",
            False,
            (Fact("temperature", 36.7, ("Observation/temp",), 0),),
        ),
        Step("G4", "severity", "EDSS rise ≥ 1.0", True, (edss,), "moderate", ("severe2019",)),
        Step("G5", "jcv", "JCV index under natalizumab", None, (Fact("jcv_index", None),), "follows"),
        Step(
            "G6", "refractory", "no response to a complete regimen", True, (steroids, response), "offer", ("aan2011",)
        ),
    )
    alerts = (
        Alert("draw_before_session_1", "draw", (), ("practice",), "local default", "before_session_1"),
        Alert("fibrinogen_before_each", "check", (), ("practice",), "local default", "before_each"),
        Alert("calcium_symptoms", "call", (), (), "", "during"),
        Alert("dmt_after_last", "note", (), (), "", "after_last"),
    )
    return Decision(
        Advice.OFFER,
        ON,
        reasons,
        missing=(
            Missing("jcv_index", Absence.FOLLOWS, "G5"),
            Missing("urine_culture", Absence.DRAW_NOW, "G1", (Advice.TREAT_TRIGGER_FIRST,)),
        ),
        trace=trace,
        alerts=alerts,
        assumed=(Fact("allergy_to_albumin", False),),
        facts=(edss, day, steroids, response),
        start_on=FIRST,
        first_exchange_by=date(2026, 2, 22),
        holds_until=date(2026, 2, 22),
        guideline="aan-2011",
    )


def _share(median: float, low: float, high: float) -> Band:
    return Band(median, low, (median + low) / 2, (median + high) / 2, high, "1")


def benefit() -> tuple[Benefit, ...]:
    more = (
        Contribution("gd_enhancement", None, 0.0, 0.0, ("magana2011",)),
        Contribution("relapsing_course", True, 0.6, 0.3, ("magana2011",)),
    )
    return (
        Benefit(
            "discharge",
            "exchange",
            _share(0.19, 0.09, 0.36),
            _share(0.13, 0.06, 0.25),
            _share(0.36, 0.2, 0.5),
            _share(0.32, 0.15, 0.54),
            _share(0.68, 0.47, 0.83),
            more,
            ("weinshenker1999",),
        ),
        Benefit(
            "discharge",
            "no_exchange",
            _share(0.46, 0.15, 0.79),
            _share(0.17, 0.08, 0.26),
            _share(0.25, 0.07, 0.4),
            _share(0.12, 0.03, 0.39),
            _share(0.37, 0.11, 0.73),
        ),
        Benefit(
            "six_months",
            "exchange",
            _share(0.11, 0.04, 0.24),
            _share(0.09, 0.04, 0.2),
            _share(0.32, 0.2, 0.5),
            _share(0.48, 0.24, 0.72),
            _share(0.80, 0.61, 0.92),
        ),
        Benefit(
            "six_months",
            "no_exchange",
            _share(0.30, 0.08, 0.68),
            _share(0.17, 0.1, 0.3),
            _share(0.32, 0.12, 0.5),
            _share(0.21, 0.05, 0.57),
            _share(0.53, 0.19, 0.85),
        ),
    )


def options() -> tuple[Option, ...]:
    cells = ("evidence", "effect", "onset", "burden", "hazards", "needs", "cost")
    texts = {
        "exchange": (
            "two sham-controlled trials, one positive, one neutral",
            "8 of 19 against 1 of 17",
            "2nd to 5th session",
            "5 sessions of 3 h",
            "low pressure, tingling, line",
            "separator, veins",
            "high",
        ),
        "immunoadsorption": (
            "one randomised trial, cohorts",
            "26 of 30 against 23 of 30",
            "after the 3rd",
            "5 sessions of 3 to 4 h",
            "line, pressure under ACE inhibitor",
            "adsorber",
            "very high",
        ),
        "second_pulse": (
            "no randomised trial",
            "29 of 99 any improvement",
            "1 to 2 weeks",
            "5 infusions",
            "glucose, mood, infection",
            "drip",
            "low",
        ),
        "ivig": (
            "three negative add-on trials",
            "not shown",
            "days to weeks",
            "1 to 5 infusions",
            "clot, kidney, headache",
            "drip",
            "high",
        ),
        "watchful": (
            "natural history",
            "48 of 100 severe relapses keep a deficit",
            "weeks",
            "rehabilitation",
            "missed window",
            "none",
            "low",
        ),
    }
    return tuple(Option(k, tuple(zip(cells, v, strict=True)), ("weinshenker1999",)) for k, v in texts.items())


def citations() -> tuple[Citation, ...]:
    return (
        Citation("aan2011", "Cortese I et al. Neurology 2011;76:294-300", pmid="21242498", read="abstract"),
        Citation(
            "asfa2023", "Connelly-Smith L et al. J Clin Apher 2023;38:77-278", doi="10.1002/jca.22043", read="secondary"
        ),
        Citation("brochet2020", "Brochet B et al. J Clin Apher 2020", pmid="32369661", read="abstract"),
        Citation(
            "weinshenker1999", "Weinshenker BG et al. Ann Neurol 1999;46:878-86", pmid="10589540", read="abstract"
        ),
        Citation("practice", "OpenTPE: local defaults of practice", read="local default"),
    )


def consultation() -> Consultation:
    """Scenario A, whole."""
    return Consultation(
        ON,
        patient(),
        relapse(),
        decision(),
        issues=(
            Issue("stale", "Observation/hct-0", "haematocrit of 2024", "at most 7 days old", "the newer value is used"),
        ),
        order=order(FIRST),
        forecast=forecast(),
        options=options(),
        benefit=benefit(),
        versions=Versions("0.1.0", "3f2a9c0d" * 8, (), 1, 2000),
        citations=citations(),
    )
