"""The schemas come from the types, and what is written fits them."""

import json
from datetime import date

import pytest

from opentpe import consultation
from opentpe.domain import documents, schemas
from opentpe.errors import InputError


@pytest.mark.parametrize("name", ["scenario-a.json", "contradictory.json"])
def test_a_written_decision_fits_its_schema(name, library, examples):
    """The document of an example is valid against the schema of its kind."""
    jsonschema_rs = pytest.importorskip("jsonschema_rs")
    result = consultation.decide(examples / name, date(2026, 3, 20), library=library)
    written = json.loads(documents.text(documents.document("decide", result)))
    validator = jsonschema_rs.validator_for(schemas.schema_of("decide"))
    assert [str(e) for e in validator.iter_errors(written)] == []


def test_a_wrong_document_does_not_fit():
    """A course that counts its sessions in words is refused."""
    jsonschema_rs = pytest.importorskip("jsonschema_rs")
    validator = jsonschema_rs.validator_for(schemas.schema_of("course"))
    assert not validator.is_valid({"schema": "opentpe.course/1", "count": "five"})


def test_an_unknown_kind_is_refused_by_name():
    """The kinds there are stand in the message."""
    with pytest.raises(InputError, match="course"):
        schemas.schema_of("menu")
