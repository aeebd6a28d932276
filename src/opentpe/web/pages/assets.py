"""Style of the report for use inside a page, and whole printed papers under the strict policy."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import lru_cache
from typing import Final

from fastapi import APIRouter, Response
from fastapi.responses import HTMLResponse

from opentpe.report.render import TEMPLATES

router: Final = APIRouter(include_in_schema=False)
_STYLED: Final = re.compile(r'\sstyle="([^"]*)"')
_SHARE: Final = re.compile(r'\sstyle="flex: (\d+) 1 0"')


@router.get("/assets/report.css")
def report_style() -> Response:
    """The report's own style sheet, holding only inside `.report`."""
    return Response(_report_style(), media_type="text/css")


@lru_cache(maxsize=1)
def _report_style() -> str:
    sheet = (TEMPLATES / "report.css").read_text(encoding="utf-8")
    return f".report {{\n{sheet}\n}}\n"


def inside(html: str) -> str:
    """The body of a report page, without style attributes, which the policy forbids."""
    _, _, tail = html.partition("<main>")
    body, _, _ = tail.partition("</main>")
    body = _SHARE.sub(r' data-share="\1"', body)
    return _STYLED.sub(lambda m: _attributes(m[1]), body)


def _attributes(style: str) -> str:
    """A drawing's style as presentation attributes, which mean the same and are no inline style."""
    pairs = (part.partition(":") for part in style.split(";") if part)
    return "".join(f' {name.strip()}="{value.strip()}"' for name, _, value in pairs)


def strict(html: str) -> HTMLResponse:
    """A self-contained page served under a policy that names its styles by hash and allows no script."""
    rules: dict[str, str] = {}

    def classed(found: re.Match[str]) -> str:
        name = rules.setdefault(found[1], f"s{len(rules)}")
        return f' data-style="{name}"'

    text = re.sub(r"<script>.*?</script>", "", html, flags=re.DOTALL)
    text = _STYLED.sub(classed, text)
    own = "".join(f'[data-style="{name}"] {{{style}}}\n' for style, name in rules.items())
    text = text.replace("</head>", f"<style>{own}</style>\n</head>", 1) if own else text
    hashes = " ".join(f"'sha256-{_digest(sheet)}'" for sheet in re.findall(r"<style>(.*?)</style>", text, re.DOTALL))
    allowed = hashes or "'none'"
    policy = f"default-src 'none'; style-src {allowed}; img-src data:; base-uri 'none'; form-action 'none'"
    return HTMLResponse(text, headers={"Content-Security-Policy": policy})


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
