"""One hand-made consultation for all tests of the report."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import scenario_a

from opentpe.domain.consultation import Consultation


@pytest.fixture(scope="session")
def consultation() -> Consultation:
    return scenario_a.consultation()
