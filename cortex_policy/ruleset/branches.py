"""Which parts of an expression are asked for their truth, and what a proof shows of each.

A *question* is an expression that is asked for its truth and is not made of smaller ones: `&&`, `||`, `!` and `?:` pass
the question on to their operands, a macro asks its body. An operand is asked only where none before it had decided.
Source: `docs/testing-rules.md`, "Branches".
"""

from __future__ import annotations

from collections.abc import Iterator

from cortex_policy.model import Outcome
from cortex_policy.ruleset.proof import Proof
from cortex_policy.ruleset.syntax import Comprehension, Literal, Logical, Node, Ternary, Unary, children

_ASKING = frozenset({"all", "exists", "exists_one", "filter"})
"""Macros whose body is a question; that of `map` is a value."""


def questions(node: Node, *, asked: bool) -> Iterator[Node]:
    """The questions in `node`, in the order of the text; `asked`: whether `node` itself is asked for its truth."""
    if isinstance(node, Logical):
        for operand in node.operands:
            yield from questions(operand, asked=True)
    elif _negates(node):
        yield from questions(children(node)[0], asked=True)
    elif isinstance(node, Ternary):
        yield from questions(node.condition, asked=True)
        for branch in (node.then, node.otherwise):
            # A branch that is written out has one outcome only, and the condition says whether it was taken.
            yield from () if isinstance(branch, Literal) else questions(branch, asked=asked)
    else:
        if asked:
            yield node
        yield from _below(node)


def _negates(node: Node) -> bool:
    return isinstance(node, Unary) and node.operator == "!"


def _below(node: Node) -> Iterator[Node]:
    """The questions in what a node is made of."""
    for child in children(node):
        yield from questions(child, asked=_asks(node, child))


def _asks(node: Node, child: Node) -> bool:
    """Whether a node, which is no question itself or a whole one, asks its child for its truth."""
    if not isinstance(node, Comprehension):
        return False
    return child is node.condition or (child is node.body and node.macro in _ASKING)


def answers(proof: Proof, *, asked: bool) -> Iterator[tuple[Node, Outcome]]:
    """What each question below `proof` came to, each time that it was asked."""
    node = proof.node
    if isinstance(node, Ternary):
        yield from _of_ternary(proof, asked)
    elif isinstance(node, Logical) or _negates(node):
        for operand in _until_decided(proof):
            yield from answers(operand, asked=True)
    else:
        if asked:
            yield node, proof.outcome
        for part in proof.children:
            yield from answers(part, asked=_asks(node, part.node))


def _of_ternary(proof: Proof, asked: bool) -> Iterator[tuple[Node, Outcome]]:
    """The condition, then the branch that was taken, if one was."""
    condition, *taken = proof.children
    yield from answers(condition, asked=True)
    for branch in taken:
        if not isinstance(branch.node, Literal):
            yield from answers(branch, asked=asked)


def _until_decided(proof: Proof) -> Iterator[Proof]:
    """The operands up to the first that decides; a proof visits the others too, but nobody asked them."""
    node = proof.node
    for operand in proof.children:
        yield operand
        if isinstance(node, Logical) and operand.value is (node.operator == "||"):
            return
