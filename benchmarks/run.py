"""The figures this project promises, as ratios of commands measured in one run (`make bench`).

Absolute times mean nothing on a shared machine; each pair is run in turn, and the median of the ratios pair by pair is
printed beside its promise. Nothing here passes or fails.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

ROUNDS = 15
CHECKOUT = Path(__file__).resolve().parents[1]
CORPUS = CHECKOUT.parent / "shared" / "corpora" / "cortex"

BASELINE = """
import os, sys
import frontmatter
from markdown_it import MarkdownIt
parser = MarkdownIt("commonmark").enable("table").disable("inline")
for folder, _, names in os.walk(sys.argv[1]):
    for name in names:
        if name.endswith(".md"):
            parser.parse(frontmatter.load(os.path.join(folder, name)).content)
"""
"""Reading, front matter (python-frontmatter takes the C loader) and a block parse of the same files, in one process,
imports included."""


def seconds(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=CHECKOUT)
    return time.perf_counter() - start


def compare(name: str, promise: str, command: list[str], other: list[str]) -> None:
    """Both commands in turn; the first pair warms the caches and is not counted."""
    pairs = [(seconds(command), seconds(other)) for _ in range(ROUNDS + 1)][1:]
    ratios = sorted(mine / theirs for mine, theirs in pairs)
    mine, theirs = (median(column) * 1000 for column in zip(*pairs, strict=True))
    middle = f"{mine:.0f} ms / {theirs:.0f} ms"
    print(
        f"{name}: {median(ratios):.2f} x (promise {promise}; {ratios[0]:.2f} to {ratios[-1]:.2f}; {middle})"
    )


REFERENCE = 'item.status == "validated" && item.blocked_by.all(b, b.status == "validated")'


def evaluations() -> None:
    """The reference rule over a thousand items: closures and full proofs against plain Python over the same values."""
    sys.path.insert(0, str(CHECKOUT))
    from cortex_policy.model import Record
    from cortex_policy.ruleset.evaluator import compile_expression
    from cortex_policy.ruleset.parser import parse
    from cortex_policy.ruleset.proof import compile_proof

    def record(name: str, **values: object) -> Record:
        return Record(kind="item", id=name, place=None, values=values, places={})

    blockers = [record(f"B-{n}", status="validated" if n % 3 else "candidate") for n in range(10)]
    items = [
        record(
            f"I-{n}",
            status="validated" if n % 4 else "candidate",
            blocked_by=tuple(blockers[(n + k) % 10] for k in range(1 + n % 3)),
        )
        for n in range(1_000)
    ]
    subjects = [{"item": item} for item in items]

    def plain(values: dict[str, Record]) -> bool:
        item = values["item"].values
        return item["status"] == "validated" and all(
            b.values["status"] == "validated" for b in item["blocked_by"]
        )

    def rate(function: Callable[[dict[str, Any]], object]) -> float:
        start = time.perf_counter()
        for subject in subjects:
            function(subject)
        return len(subjects) / (time.perf_counter() - start)

    tree = parse(REFERENCE)
    fast, proof = compile_expression(tree, {}), compile_proof(tree, {})
    rounds = [(rate(plain), rate(fast), rate(proof)) for _ in range(10 * ROUNDS)]
    for column, name, promise in ((1, "fast evaluations", ">= 0.35"), (2, "full proofs", ">= 0.1")):
        ratios = sorted(row[column] / row[0] for row in rounds)
        mine, theirs = (median(row[index] for row in rounds) / 1e6 for index in (column, 0))
        print(
            f"{name} / plain Python: {median(ratios):.2f} x (promise {promise}; {ratios[0]:.2f} to "
            f"{ratios[-1]:.2f}; {mine:.2f} million/s / {theirs:.2f} million/s)"
        )


NODES = 5_000


def closures() -> None:
    """Everything that each of 5,000 nodes reaches, as `reach()` answers it, against `networkx.descendants`."""
    import networkx

    from cortex_policy.graph import reachable

    choose = Random(7)
    edges = {
        ("item", str(node)): [("item", str(choose.randrange(max(0, node - 300), node))) for _ in range(3)]
        if node
        else []
        for node in range(NODES)
    }
    digraph = networkx.DiGraph([(source, target) for source, targets in edges.items() for target in targets])
    sample = choose.sample(sorted(edges), 100)

    def seconds_for(reach: Callable[[Any], Any]) -> float:
        start = time.perf_counter()
        for node in sample:
            reach(node)
        return time.perf_counter() - start

    rounds = [
        (
            seconds_for(lambda node: reachable(edges, node)),
            seconds_for(lambda node: networkx.descendants(digraph, node)),
        )
        for _ in range(ROUNDS)
    ]
    ratios = sorted(mine / theirs for mine, theirs in rounds)
    mine, theirs = (median(column) * 10 for column in zip(*rounds, strict=True))
    print(
        f"closure in a graph of {NODES:,} nodes / networkx: {median(ratios):.2f} x (promise <= 2; {ratios[0]:.2f} to "
        f"{ratios[-1]:.2f}; {mine:.2f} ms / {theirs:.2f} ms a node)"
    )


def main() -> None:
    # an installed command is byte-compiled; a checkout on a machine that writes no byte code would not be
    subprocess.run([sys.executable, "-m", "compileall", "-q", str(CHECKOUT / "cortex_policy")], check=True)
    program = [sys.executable, "-m", "cortex_policy"]
    compare(
        "cortex-policy --version / python -c pass",
        "<= 8",
        [*program, "--version"],
        [sys.executable, "-c", "pass"],
    )
    evaluations()
    closures()
    if not CORPUS.is_dir():
        print(f"check / parsing alone: not measured, there is no corpus at {CORPUS}")
        return
    with tempfile.NamedTemporaryFile("w", suffix=".py") as baseline:
        baseline.write(BASELINE)
        baseline.flush()
        check = [*program, "check", str(CORPUS), "--pack", "cortex", "--format", "json"]
        compare("check / parsing alone", "<= 1.5", check, [sys.executable, baseline.name, str(CORPUS)])


if __name__ == "__main__":
    main()
