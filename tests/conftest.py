"""Fixtures of all tests: the library is read once."""

from pathlib import Path

import pytest

from opentpe.evidence.load import Library, load

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def library() -> Library:
    return load()


@pytest.fixture(scope="session")
def examples() -> Path:
    return ROOT / "examples"


@pytest.fixture(scope="session")
def synthea() -> Path:
    """The folder of real FHIR bundles beside the checkout, or a loud skip."""
    folder = ROOT.parent / "shared" / "data" / "fhir-synthea"
    if not folder.is_dir():
        pytest.skip("SKIPPED LOUDLY: ../shared/data/fhir-synthea is not here; reading robustness is not tested")
    return folder


def pytest_addoption(parser):
    parser.addoption("--update", action="store_true", help="rewrite the golden results in tests/golden")
