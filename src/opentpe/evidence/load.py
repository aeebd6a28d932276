"""Reads the evidence library: TOML files in, `Sourced` values and rule tables out.

A table with `value` and `status` is a sourced value; its key is file (without `.toml`), a dot, and the path inside it:
`solutes/igg.escape_rate_per_d`. A hospital's overlay folder has the same tree; its tables replace ours key by key.
"""

from __future__ import annotations

import copy
import functools
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import tomli

from opentpe.domain.sourced import Citation, Code, Estimate, Prior, Sourced, Status, Validity
from opentpe.errors import EvidenceError

ROOT: Final = Path(__file__).parent
Table = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Library:
    """All evidence of one run: documents by file key, citations, content hash and the overlays that changed it."""

    documents: Mapping[str, Table]
    citations: Mapping[str, Citation]
    digest: str
    overlaid: tuple[str, ...] = ()

    def document(self, file: str) -> Table:
        """One file as a table, as in `document("solutes/igg")`; `EvidenceError` where there is none."""
        try:
            return self.documents[file]
        except KeyError:
            raise EvidenceError(f"evidence: no file {file}.toml") from None

    def folder(self, name: str) -> dict[str, Table]:
        """The documents of a folder by bare file name, sorted."""
        prefix = name.rstrip("/") + "/"
        return {k.removeprefix(prefix): self.documents[k] for k in sorted(self.documents) if k.startswith(prefix)}

    def table(self, key: str) -> Table:
        """A table inside a file by its key."""
        file, _, path = key.partition(".")
        node: Any = self.document(file)
        for part in path.split(".") if path else ():
            if not isinstance(node, Mapping) or part not in node:
                raise EvidenceError(f"evidence/{file}.toml: no entry {path!r}")
            node = node[part]
        if not isinstance(node, Mapping):
            raise EvidenceError(f"evidence/{file}.toml: {path!r} is not a table")
        return node

    def sourced(self, key: str) -> Sourced:
        """The sourced value at a key; `EvidenceError` names file and entry where it is missing or malformed."""
        return parse_sourced(key, self.table(key))

    def value(self, key: str) -> float:
        """The number in use at a key."""
        return self.sourced(key).value

    def values(self, key: str) -> dict[str, float]:
        """Name -> number for every sourced value directly below a table."""
        return {name: float(node["value"]) for name, node in self.table(key).items() if is_sourced(node)}

    def all_sourced(self) -> Iterator[Sourced]:
        """Every sourced value of the library, by file and position."""
        for file, document in sorted(self.documents.items()):
            yield from _walk(file, "", document)

    def sourced_in(self, file: str) -> Iterator[Sourced]:
        """Every sourced value of one document, by position."""
        yield from _walk(file, "", self.documents[file])

    def codes(self) -> Iterator[Code]:
        """Every terminology code by file and position; its title is empty where none is noted."""
        titles = self.documents.get("code_titles", {}).get("title", {})
        for file, document in self.folder("codes").items():
            for path, rows in _code_rows(document, ""):
                for row in rows:
                    yield from _codes(f"codes/{file}.{path}", row, titles)

    def with_values(self, changes: Mapping[str, Table], name: str) -> Library:
        """The library with other numbers in use: fields of sourced values by key. The former ones stay as estimates."""
        documents = dict(self.documents)
        for key, fields in changes.items():
            file, _, path = key.partition(".")
            node = self.table(key)
            former = {k: node[k] for k in ("value", "status", "source", "locator") if k in node}
            above: dict[str, Any] = {**fields, "estimate": [*node.get("estimate", ()), former]}
            for part in reversed(path.split(".")):
                above = {part: above}
            documents[file] = _merge(documents[file], above)
        said = repr(sorted((key, sorted(fields.items())) for key, fields in changes.items()))
        digest = hashlib.sha256(f"{self.digest}\0{said}".encode()).hexdigest()
        return replace(self, documents=documents, digest=digest, overlaid=(*self.overlaid, name))

    def citation(self, key: str) -> Citation:
        """The citation of a source key."""
        try:
            return self.citations[key]
        except KeyError:
            raise EvidenceError(f"evidence/references.toml: no source {key!r}") from None


class _Documents(Mapping[str, Table]):
    """The files by key, each parsed when it is first asked for: a decision reads a third of the library."""

    def __init__(self, files: Mapping[str, Sequence[tuple[Path, bytes]]]) -> None:
        self._files = files
        self._parsed: dict[str, Table] = {}

    def __getitem__(self, key: str) -> Table:
        found = self._parsed.get(key)
        if found is None:
            layers = [_parse(file, text) for file, text in self._files[key]]
            found = layers[0] if len(layers) == 1 else functools.reduce(_merge, layers)
            self._parsed[key] = found
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)

    def __contains__(self, key: object) -> bool:
        return key in self._files


def is_sourced(node: object) -> bool:
    """True for a table that is a sourced value."""
    return isinstance(node, Mapping) and "value" in node and "status" in node


def parse_sourced(key: str, node: Table) -> Sourced:
    """A TOML table as `Sourced`; errors name the key."""
    try:
        prior, validity = node.get("prior"), node.get("validity", {})
        return Sourced(
            key=key,
            value=float(node["value"]),
            status=Status(node["status"]),
            unit=str(node.get("unit", "")),
            source=str(node.get("source", "")),
            locator=str(node.get("locator", "")),
            why=str(node.get("why", "")),
            prior=Prior(str(prior["shape"]), float(prior["low"]), float(prior["high"])) if prior else None,
            validity=Validity(tuple((n, float(r[0]), float(r[1])) for n, r in validity.items())),
            estimates=tuple(_estimate(e) for e in node.get("estimate", ())),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise EvidenceError(f"evidence entry {key}: {error}") from error


def _estimate(node: Table) -> Estimate:
    return Estimate(
        float(node["value"]),
        Status(node["status"]),
        str(node.get("source", "")),
        str(node.get("locator", "")),
        str(node.get("population", "")),
    )


def _walk(file: str, path: str, node: Table) -> Iterator[Sourced]:
    for name, child in node.items():
        here = f"{path}.{name}" if path else name
        if is_sourced(child):
            yield parse_sourced(f"{file}.{here}", child)
        elif isinstance(child, Mapping):
            yield from _walk(file, here, child)


def _code_rows(node: Table, path: str) -> Iterator[tuple[str, Sequence[Table]]]:
    for name, child in node.items():
        here = f"{path}.{name}" if path else name
        if name == "codes" and isinstance(child, list):
            yield path, [row for row in child if isinstance(row, Mapping)]
        elif isinstance(child, Mapping):
            yield from _code_rows(child, here)


def _codes(key: str, row: Table, titles: Table) -> Iterator[Code]:
    try:
        status = Status(row["status"])
    except (KeyError, ValueError) as error:
        raise EvidenceError(f"evidence entry {key}: a row of codes without a status of the closed set") from error
    source, locator, why = (str(row.get(name, "")) for name in ("source", "locator", "why"))
    for system, codes in row.items():
        if isinstance(codes, list):
            for code in codes:
                yield Code(key, system, code, str(titles.get(system, {}).get(code, "")), status, source, locator, why)


def load(overlays: Sequence[Path] = ()) -> Library:
    """The library that ships with OpenTPE, with a hospital's overlay folders laid over it in order."""
    files: dict[str, list[tuple[Path, bytes]]] = {}
    overlaid: list[str] = []
    digest = hashlib.sha256()
    for root in (ROOT, *overlays):
        if not root.is_dir():
            raise EvidenceError(f"evidence overlay {root}: no such folder")
        for file in sorted(root.rglob("*.toml")):
            key = file.relative_to(root).with_suffix("").as_posix()
            text = file.read_bytes()
            digest.update(key.encode() + b"\0" + text + b"\0")
            files.setdefault(key, []).append((file, text))
            if root is not ROOT:
                overlaid.append(key)
                _parse(file, text)  # a hospital's own file is refused here, not when it is first used
    documents = _Documents(files)
    return Library(documents, _citations(documents), digest.hexdigest(), tuple(overlaid))


def _parse(file: Path, text: bytes) -> dict[str, Any]:
    try:
        return tomli.loads(text.decode())
    except (tomli.TOMLDecodeError, UnicodeDecodeError) as error:
        raise EvidenceError(f"{file}: {error}") from error


def _merge(below: Table, above: Table) -> dict[str, Any]:
    merged = copy.deepcopy(dict(below))
    for key, value in above.items():
        old = merged.get(key)
        merged[key] = _merge(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return merged


def _citations(documents: Mapping[str, Table]) -> dict[str, Citation]:
    return {
        key: Citation(
            key,
            str(node.get("text", "")),
            str(node.get("doi", "")),
            str(node.get("pmid", "")),
            str(node.get("url", "")),
            str(node.get("read", "")),
        )
        for key, node in documents.get("references", {}).items()
        if isinstance(node, Mapping)
    }
