"""The public surface is pinned, documented and typed."""

import inspect

import pytest

import opentpe

PINNED = {
    "Advice", "Consultation", "Course", "Decision", "Forecast", "InputError", "Library", "OpenTPEError", "Patient",
    "Prescription", "Relapse", "Subject", "__version__", "consult", "decide", "load", "parse", "say", "simulate",
}  # fmt: skip


def test_the_exported_names_are_these_and_no_others():
    """A new public name is a decision, not an accident."""
    assert set(opentpe.__all__) == PINNED


def test_every_public_name_is_documented_and_typed():
    """Each has a docstring; each function has types for all it takes and gives."""
    for name in PINNED - {"__version__"}:
        thing = getattr(opentpe, name)
        assert (inspect.getdoc(thing) or "").strip(), name
        if inspect.isfunction(thing):
            signature = inspect.signature(thing)
            assert signature.return_annotation is not inspect.Signature.empty, name
            assert all(p.annotation is not inspect.Parameter.empty for p in signature.parameters.values()), name


def test_an_unknown_name_is_an_attribute_error():
    """Misspelling a public name is told at once."""
    with pytest.raises(AttributeError, match="consult_patient"):
        opentpe.consult_patient  # noqa: B018
