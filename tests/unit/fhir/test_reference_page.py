"""The reference page knows every issue code that the reader can give."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def test_every_issue_code_is_documented() -> None:
    """A code that a person may see stands in the reference and at the top of the reader."""
    rooms = sorted((ROOT / "src" / "opentpe" / "fhir").glob("*.py"))
    source = "".join(f.read_text(encoding="utf-8") for f in rooms)
    given = set(re.findall(r'(?:\.note\(|Issue\()\s*"([a-z_]+)"', source))
    page = (ROOT / "docs" / "reference" / "fhir.md").read_text(encoding="utf-8")
    reader = (ROOT / "src" / "opentpe" / "fhir" / "read.py").read_text(encoding="utf-8")
    assert len(given) > 20
    assert [c for c in sorted(given) if f"`{c}`" not in page or f"`{c}`" not in reader] == []
