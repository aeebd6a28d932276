"""Order and forecast of scenario A, made by a small two-pool sum so that the curves look like curves."""

import math
from datetime import date

from opentpe.domain.consultation import (
    Band,
    DrugAdvice,
    Estimator,
    Forecast,
    Line,
    Moment,
    Order,
    Risk,
    Series,
    SessionForecast,
    Versions,
)
from opentpe.domain.sourced import Sourced, Status
from opentpe.domain.therapy import Calcium, Course, Dose, FluidPart, Prescription, Schedule

DAYS = (0, 3, 5, 7, 10)
PV_ML = 2560.0


def course(first: date | None = None) -> Course:
    prescription = Prescription(
        2500, Dose.ML, (FluidPart("albumin_5", 1.0),), 10.0, Calcium(10, "mL/L"), 1.0, "peripheral_two_needles"
    )
    return Course(5, prescription, Schedule("days", days=DAYS, start=first))


def band(median: float, spread: float, unit: str) -> Band:
    def f(z):
        return median * math.exp(spread * z)

    return Band(median, f(-1.645), f(-0.674), f(0.674), f(1.645), unit)


def _solute(
    start: float, left: float, share: float, exchange_per_d: float, turnover_per_d: float
) -> tuple[list[float], list[float]]:
    """Times in minutes and concentrations: plasma and tissue pool, sharp falls at the sessions."""
    plasma, tissue, steps = start * share, start * (1 - share), 24 * 66
    times, values = [], []
    for i in range(-48, steps):
        if i / 24 in DAYS:
            times.append(i * 60.0)
            values.append(plasma / share)
            plasma *= left
        k = exchange_per_d / 24
        flow = k * (plasma - tissue * share / (1 - share))
        plasma += (start * share - plasma - tissue + start * (1 - share)) * turnover_per_d / 24 - flow
        tissue += flow
        times.append(i * 60.0 + (90 if i / 24 in DAYS else 0))
        values.append(plasma / share)
    return times, values


def _series(name: str, unit: str, times: list[float], values: list[float], spread: float) -> Series:
    def fan(z):
        return tuple(
            v * math.exp(spread * z * min(1.0, 0.35 + max(t, 0) / 14400)) for t, v in zip(times, values, strict=True)
        )

    return Series(name, unit, tuple(times), tuple(values), fan(-1.645), fan(-0.674), fan(0.674), fan(1.645))


def course_series() -> tuple[Series, ...]:
    rows = {
        "igg": (9.5, 0.37, 0.45, 0.7, 0.045, 0.16),
        "fibrinogen": (3.0, 0.37, 0.8, 0.6, 0.24, 0.12),
        "albumin": (42, 1.0, 0.4, 0.6, 0.05, 0.03),
        "igm": (1.2, 0.37, 0.78, 0.3, 0.1, 0.15),
        "iga": (2.1, 0.37, 0.45, 0.6, 0.1, 0.15),
    }
    return tuple(_series(k, "g/L", *_solute(*v[:5]), v[5]) for k, v in rows.items())


def session_series() -> tuple[Series, ...]:
    times = [2.0 * i for i in range(61)]

    def dip(t, depth):
        return -depth * (1 - math.exp(-t / 18)) if t < 86 else -depth * math.exp(-(t - 86) / 25)

    rows = {
        "ionised_calcium": ("mmol/L", 1.22, 0.13, 0.03),
        "relative_blood_volume": ("%", 0.0, 7.0, 0.2),
        "mean_pressure": ("mm[Hg]", 88.0, 5.0, 0.06),
        "bicarbonate": ("mmol/L", 24.5, 1.6, 0.03),
        "citrate": ("mmol/L", 0.9, -0.6, 0.2),
        "heart_rate": ("/min", 74.0, -6.0, 0.07),
    }
    return tuple(_series(k, u, times, [v + dip(t, d) for t in times], s) for k, (u, v, d, s) in rows.items())


def _sessions() -> tuple[SessionForecast, ...]:
    igg = ((9.5, 3.6), (5.6, 2.2), (3.9, 1.6), (2.8, 1.3), (3.0, 1.5))
    fibrinogen = ((3.0, 1.1), (2.2, 0.85), (1.8, 0.7), (1.6, 0.6), (1.7, 0.65))
    rows = []
    for i, day in enumerate(DAYS):
        pre = (("igg", band(igg[i][0], 0.15, "g/L")), ("fibrinogen", band(fibrinogen[i][0], 0.12, "g/L")))
        post = (("igg", band(igg[i][1], 0.2, "g/L")), ("fibrinogen", band(fibrinogen[i][1], 0.15, "g/L")))
        nadir = (
            ("ionised_calcium", band(1.09, 0.03, "mmol/L")),
            ("relative_blood_volume", Band(-7.0, -9.0, -7.8, -6.2, -5.2, "%")),
            ("mean_pressure", band(83.0, 0.06, "mm[Hg]")),
        )
        rows.append(
            SessionForecast(i + 1, day * 1440.0, 86, 161, 2500, 0.98, 2950, 470, 60, 2500, 5200, 60, pre, post, nadir)
        )
    return tuple(rows)


def _risks() -> tuple[Risk, ...]:
    def rate(p: float, low: float, high: float) -> Band:
        return Band(p, low, (p + low) / 2, (p + high) / 2, high, "1")

    return (
        Risk("any_event", rate(0.057, 0.015, 0.2), rate(0.22, 0.07, 0.49), ("aan2011",), "recorded in registries"),
        Risk(
            "hypocalcaemia_symptoms",
            rate(0.017, 0.004, 0.07),
            rate(0.08, 0.02, 0.25),
            ("aan2011",),
            "recorded in registries",
            linked="ionised_calcium",
        ),
        Risk(
            "hypotension",
            rate(0.012, 0.003, 0.052),
            rate(0.06, 0.01, 0.2),
            ("aan2011",),
            "recorded in registries",
            linked="relative_blood_volume",
        ),
        Risk("anaphylaxis", rate(0.0005, 0.00004, 0.006), rate(0.0025, 0.0002, 0.028), ("aan2011",), "", thin=True),
        Risk("nausea_or_vomiting", rate(0.0057, 0.0008, 0.04), rate(0.028, 0.004, 0.16), ("aan2011",), thin=True),
        Risk("fever_or_chills", rate(0.003, 0.0004, 0.029), rate(0.017, 0.002, 0.13), ("aan2011",), thin=True),
        Risk("session_interrupted", rate(0.021, 0.004, 0.1), rate(0.09, 0.02, 0.32), ("aan2011",)),
        Risk("access_failure", rate(0.018, 0.002, 0.17), rate(0.08, 0.01, 0.44), ("aan2011",)),
        Risk("infection", rate(0.00026, 0.00003, 0.0025), rate(0.0013, 0.0001, 0.013), ("aan2011",), thin=True),
        Risk("severe_event", rate(0.0033, 0.0006, 0.019), rate(0.017, 0.003, 0.09), ("aan2011",)),
        Risk("death", rate(0.00012, 0.00002, 0.0008), rate(0.0006, 0.0001, 0.004), ("aan2011",)),
        Risk("bleeding", None, rate(0.016, 0.002, 0.11), ("aan2011",)),
        Risk("venous_thrombosis", None, rate(0.02, 0.004, 0.10), ("aan2011",)),
        Risk("catheter_major", None, rate(0.15, 0.03, 0.48), ("aan2011",), condition="central_catheter", thin=True),
        Risk("mild_allergy", rate(0.37, 0.08, 0.81), rate(0.62, 0.26, 0.86), ("aan2011",), condition="plasma"),
    )


def order(first: date) -> Order:
    lines = (
        Line("order_modality", (("modality", "centrifuge_citrate"),)),
        Line(
            "order_volume",
            (
                ("volume_ml", 2500.0),
                ("plasma_volumes", 0.977),
                ("weight_kg", 68.0),
                ("weight_on", date(2026, 2, 18)),
                ("height_cm", 168.0),
                ("hct_fraction", 0.38),
                ("hct_on", date(2026, 2, 18)),
            ),
            ("practice",),
            "design",
        ),
        Line(
            "order_sessions",
            (("count", 5), ("dates", "2026-02-20, 2026-02-23, 2026-02-25, 2026-02-27, 2026-03-02")),
            ("asfa2023",),
        ),
        Line(
            "order_fluid", (("fluid", "albumin 5 %"), ("bottles", "5 x 500 mL"), ("course_bottles", "25 x 500 mL")), ()
        ),
        Line("order_ratio", (("ratio", 10.0), ("ac", "acd_a")), ()),
        Line("order_calcium", (("ml", 25.0), ("ml_per_l", 10.0)), ("practice",)),
        Line("order_access_two_arms", ()),
        Line("order_stop_rule", (("most", 7),), ("practice",)),
        Line("order_void", ()),
    )
    dates = tuple(date.fromordinal(first.toordinal() + d) for d in DAYS)
    estimators = (
        Estimator("nadler", PV_ML, True, "nadler1962"),
        Estimator("lemmens", 2610.0, False, "lemmens2006"),
        Estimator("kaplan", 2740.0, False, "kaplan1990"),
    )
    words = "5 x 2500 mL patient plasma on days 0 3 5 7 10, albumin 5 %, inlet:AC 10:1, calcium gluconate 10 mL/L"
    return Order(course(first), words, PV_ML, 2500, 0.98, estimators, dates, (("albumin_5", 500, 5),), lines)


def forecast() -> Forecast:
    moments = tuple(
        Moment(label, t, (("igg", band(v, 0.2, "g/L")), ("fibrinogen", band(f, 0.15, "g/L"))))
        for label, t, v, f in (("24h", 15900, 2.4, 1.5), ("14d", 34600, 5.7, 2.9))
    )
    drug = DrugAdvice(
        "natalizumab",
        (Line("drug.after_last", (("drug", "natalizumab"),), ("khatri2009",)),),
        Band(0.9, 0.84, 0.88, 0.92, 0.95, "1"),
    )
    return Forecast(
        course(),
        "5 x 2500 mL",
        band(PV_ML, 0.08, "mL"),
        _sessions(),
        moments,
        course_series(),
        session_series(),
        (drug,),
        _risks(),
        assumed=(Line("assumed_separator", (("value", "centrifuge_continuous"),), (), "recalled"),),
        warnings=(Line("outside_validity", (("quantity", "age_years"), ("value", 17), ("low", 18), ("high", 70)), ()),),
        sources=(Sourced("solutes/igg.escape_rate_per_d", 0.2, Status.CALIBRATED, "1/d", "", "", "24-h rebound"),),
        versions=Versions("0.1.0", "3f2a9c0d" * 8, (), 1, 2000),
    )
