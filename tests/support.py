"""Small repositories and a small pack for tests, so that no test depends on what a shipped pack says."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cortex_policy.app.reading import Reading as ProjectReading
from cortex_policy.app.reading import read_files
from cortex_policy.documents.reading import read_document
from cortex_policy.graph import Graph, Truncated, build
from cortex_policy.model import Declaration, Document, Place, Record
from cortex_policy.ruleset.packs import PackFiles, Ruleset, load

NOW = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
CHECKOUT = Path(__file__).resolve().parents[1]

PACK = {
    "pack.yaml": r"""
pack: tiny
about: Tasks in notes, on a board and in records.
precedence: [board, declared]
kinds:
  document:
    about: One file.
    fields:
      title: text
      version: text
      status: {enum: [draft, done]}
      count: int
      created: date
      boxes: checklist
      notice: bool
      next: path
  task:
    about: One piece of work.
    id: 'T-\d+'
    fields:
      title: text
      status: {enum: [draft, done]}
      needs: {references: task}
      parent: {reference: task}
      tags: list
      boxes: checklist
      due: date
      effort: duration
  note:
    about: A remark in a list.
    id: 'N-\d{2}'
    fields: {title: text}
  entry:
    about: One record file.
    fields: {name: text, count: int, links: {references: task}}
""",
    "readers/notes.yaml": r"""
reader: notes
about: Markdown with tasks.
format: markdown
files: ["**/*.md"]
exclude: ["plain/**", "strict/**"]
fields:
  title: {key: title}
  version: {key: version}
  status: {key: status}
  count: {key: count}
  created: {key: created}
  next: {key: next}
  boxes: {boxes: true}
  notice: {sentence: "this binds nobody"}
silent: ['^Silent$']
sections: '(?i)\bproof\b'
mentions: [task, document]
document_references: 'docs/[A-Za-z0-9_./-]*[A-Za-z0-9_]'
items:
  - kind: task
    heading: {levels: [2, 3], pattern: '^(?P<id>T-\d+)(?:: (?P<title>.*))?$'}
    fields:
      title: {group: title}
      status: {label: Status}
      needs: {label: [Needs, Blocked by]}
      parent: {label: Parent}
      tags: {label: Tags}
      boxes: {boxes: true}
      due: {label: Due}
      effort: {label: Effort}
  - kind: task
    row: {columns: [task]}
    fields:
      title: {column: title}
      status: {column: status}
      needs: {column: needs}
  - kind: note
    item: {pattern: '^(?P<id>N-\d{2}): (?P<title>.*)$'}
    fields: {title: {group: title}}
""",
    "readers/others.yaml": r"""
- reader: strict
  about: Markdown that must have front matter.
  format: markdown
  files: ["strict/**/*.md"]
  front_matter: required
  fields: {title: {key: title}}
- reader: board
  about: The board.
  format: yaml
  files: ["**/*.yaml"]
  exclude: [cortex-policy.yaml]
  mentions: [task]
  items:
    - kind: task
      source: board
      record: {id: [id], scalar: status}
      fields:
        title: {key: title}
        status: {key: status}
        needs: {key: needs}
        due: {key: due}
- reader: records
  about: One record in each file.
  format: json
  files: ["**/*.json"]
  mentions: [task]
  items:
    - kind: entry
      record: {root: true, id: "entry:{stem}"}
      fields:
        name: {key: name}
        count: {key: count}
        links: {key: links}
""",
    "rules/rules.yaml": r"""
- id: TNY-TSK-001
  name: done-needs-done
  for: t in items("task")
  when: t.status == "done"
  require:
    needs: t.needs.all(n, n.status == "done")
  severity: error
  message: "{t.id} is done, but needs {n.id}"
  why: What is done cannot wait for something.
  source: [tests]
- id: TNY-TSK-002
  name: needs-exist
  for: t in items("task")
  require:
    exist: t.needs.all(n, n.is_declared)
  severity: error
  message: "{t.id} needs {n.id}, which nobody declares"
  why: A task that nobody declares is never done.
  source: [tests]
""",
}


def ruleset(**changed: str) -> Ruleset:
    """The small pack as loaded; `changed` replaces files by the name of their stem, such as `rules`."""
    files = {name: changed.get(Path(name).stem, text) for name, text in PACK.items()}
    return load([PackFiles(name="tiny", origin="tiny", files=files, schemas={})])


TINY = ruleset()


def read(path: str, content: str | bytes) -> Document:
    """One document by the first reader of the small pack that takes `path`."""
    data = content if isinstance(content, bytes) else content.encode("utf-8")
    reader = next(reader for reader in TINY.model.readers if reader.takes(path))
    document = read_document(path, data, reader, TINY.model)
    assert document is not None
    return document


def codes(document: Document) -> list[str]:
    return [fault.code for fault in document.faults]


def fault_places(document: Document) -> list[tuple[str, int, int]]:
    return [(fault.code, fault.place.line, fault.place.column) for fault in document.faults]


def declared(document: Document, name: str) -> Declaration:
    """The one declaration of `name` in a document."""
    (found,) = [declaration for declaration in document.declarations if declaration.id == name]
    return found


def joined(files: Mapping[str, str], truncated: Truncated | None = None, more: Sequence[str] = ()) -> Graph:
    """The graph of some texts; `more` are paths in the tree that are no documents."""
    return build([read(path, text) for path, text in files.items()], TINY.model, [*files, *more], truncated)


def reading(files: Mapping[str, str]) -> ProjectReading:
    return read_files(files, TINY, NOW)


def record(files: Mapping[str, str], kind: str, name: str) -> Record:
    """One record as rules see it."""
    (found,) = [found for found in reading(files).facts.items[kind] if found.id == name]
    return found


def write(root: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write `files` below `root`."""
    for path, content in files.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return root


def repository(root: Path, files: Mapping[str, str | bytes], config: str | bytes | None = None) -> Path:
    """A root with the small pack beside it, configured."""
    write(root.parent / "tiny-pack", PACK)
    default = "version: 1\npacks: [../tiny-pack]\n"
    return write(root, {"cortex-policy.yaml": default if config is None else config, **files})


def command(
    *arguments: str,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    limit: Any = None,
    **more: Any,
) -> subprocess.CompletedProcess[bytes]:
    """`python -m cortex_policy …` in a clean environment; `limit` runs in the child before it starts."""
    return subprocess.run(
        [sys.executable, "-m", "cortex_policy", *arguments],
        cwd=cwd,
        env=environment(env),
        capture_output=not more,
        preexec_fn=limit,
        timeout=120,
        check=False,
        **more,
    )


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """What a command needs of the environment, and nothing that would colour or size its output."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "VIRTUAL_ENV") if name in os.environ}
    return {**kept, "PYTHONPATH": str(CHECKOUT), **(more or {})}


def task(name: str, **values: Any) -> Record:
    """A task as facts would hold it, each value read on a line of its own."""
    places: dict[str, tuple[Place, ...]] = {
        field: (Place(f"{name}.md", line, 1),) for line, field in enumerate(values, 1)
    }
    return Record(kind="task", id=name, place=None, values=values, places=places)
