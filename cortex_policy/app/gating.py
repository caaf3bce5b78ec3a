"""`gate` and `next`: one subject at one gate, and everything that a gate is for."""

from __future__ import annotations

from typing import Final

from cortex_policy.app.project import Project
from cortex_policy.app.reading import Reading
from cortex_policy.errors import ConfigurationError, Problem, UndecidedError
from cortex_policy.ruleset.forms import suggest
from cortex_policy.ruleset.gates import Gate
from cortex_policy.ruleset.packs import Ruleset
from cortex_policy.verdicts.agenda import Agenda, agenda
from cortex_policy.verdicts.gates import GateVerdict, Judge, judge

AUTHORITY: Final = "authority.yaml"
"""A root that has this says whose statements count, so that what documents claim is not enough by default."""


def trust_of(project: Project, given: str | None) -> str:
    """`documents` or `verified`; without an option, `verified` where the root has an authority.

    Raises `ConfigurationError` for `verified`, which is not there yet: no other trust may stand in for it.
    """
    trust = given or ("verified" if project.holds(project.root / AUTHORITY) else "documents")
    if trust == "verified":
        why = "" if given else f"; `{AUTHORITY}` in `{project.root}` asks for it"
        raise ConfigurationError(
            (
                Problem(
                    message=f"trust `verified` is not there yet: no statement can be verified{why}",
                    hint="`--trust documents` takes what documents claim, for review only",
                ),
            )
        )
    return trust


def choose_gate(ruleset: Ruleset, name: str) -> Gate:
    """The gate called `name`, or the only one. Raises `ConfigurationError`."""
    names = [gate.name for gate in ruleset.gates]
    if not names:
        packs = ", ".join(f"`{pack}`" for pack in ruleset.packs)
        raise ConfigurationError(
            (Problem(message=f"no gate in {packs}", hint="gates stand in files under `gates/`"),)
        )
    if not name and len(names) > 1:
        raise ConfigurationError(
            (Problem(message="there are several gates", hint="name one by `--gate`: " + ", ".join(names)),)
        )
    found = [gate for gate in ruleset.gates if gate.name == (name or names[0])]
    if not found:
        hint = suggest(name, names) or "gates: " + ", ".join(names)
        raise ConfigurationError((Problem(message=f"no gate `{name}`", hint=hint),))
    return found[0]


def choose_profile(gate: Gate, name: str) -> str:
    """The profile called `name`, or the strictest. Raises `ConfigurationError`."""
    if name and name not in gate.profiles:
        hint = suggest(name, gate.profiles) or "profiles: " + ", ".join(gate.profiles)
        raise ConfigurationError((Problem(message=f"gate `{gate.name}` has no profile `{name}`", hint=hint),))
    return name or gate.profiles[-1]


def gate_verdict(reading: Reading, subject: str, gate_name: str, profile: str, phase: str) -> GateVerdict:
    """What one gate says of one subject. Raises `ConfigurationError`, and `UndecidedError` without any document."""
    gate = choose_gate(reading.ruleset, gate_name)
    chosen = choose_profile(gate, profile)
    _something(reading)
    return judge(
        Judge(gate, chosen, phase, reading.facts, reading.lines, reading.now), subject, reading.ruleset.model
    )


def next_steps(reading: Reading, gate_name: str, profile: str) -> Agenda:
    """What one gate says of everything that it is for. Raises as `gate_verdict` does."""
    gate = choose_gate(reading.ruleset, gate_name)
    chosen = choose_profile(gate, profile)
    _something(reading)
    return agenda(
        Judge(gate, chosen, "pre", reading.facts, reading.lines, reading.now), reading.ruleset.model
    )


def _something(reading: Reading) -> None:
    """INVARIANT: without any document nothing is decided."""
    if not reading.graph.documents:
        raise UndecidedError(reading.notes[0])
