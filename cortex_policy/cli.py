"""The command line: options, exit codes, and where text goes; nothing else.

Everything heavy is imported by the command that needs it, so that `--version` and `--help` answer at once.
Exit codes are those of `docs/contract.md`.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

import click
from click.core import ParameterSource

from cortex_policy import __version__
from cortex_policy.errors import ConfigurationError, UndecidedError

if TYPE_CHECKING:
    from cortex_policy.app.changing import PolicyChange
    from cortex_policy.app.project import Project
    from cortex_policy.app.reading import Reading
    from cortex_policy.model import CheckResult
    from cortex_policy.report.style import Style

EXIT_CLEAN: Final = 0
EXIT_FINDINGS: Final = 1
EXIT_USAGE: Final = 2
EXIT_UNDECIDED: Final = 3
EXIT_FAULT: Final = 4

CHECK_FORMATS: Final = ("full", "concise", "json", "sarif", "junit", "github", "gitlab")
PROGRESS_FROM: Final = 500
"""Documents from which reading takes long enough that a person wants to see it."""

_pack = click.option(
    "--pack",
    "packs",
    multiple=True,
    metavar="NAME",
    help="Pack to use, by name or path (repeatable); replaces those of cortex-policy.yaml.",
)
_root = click.option(
    "--root",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Root of the documents. Default: the directory of the nearest cortex-policy.yaml.",
)
_now = click.option("--now", metavar="TIME", help="Take this for the present, such as 2026-01-31T12:00:00Z.")
_at = click.option(
    "--at", metavar="REV", help="Read this Git revision in place of the work tree; nothing is checked out."
)
_gate = click.option(
    "--gate", "name", default="", metavar="NAME", help="Which gate. Default: the only one of the packs."
)
_profile = click.option(
    "--profile",
    default="",
    metavar="NAME",
    help="Which profile of the gate; each includes those before it. Default: the strictest.",
)
_set = click.option(
    "--set",
    "given",
    multiple=True,
    metavar="NAME=VALUE",
    help="A fact that no document can tell and the gate asks for (repeatable); what is not supplied is unknown.",
)
_text_or_json = click.option(
    "--format",
    "form",
    type=click.Choice(("text", "json")),
    default="text",
    show_default=True,
    help="Output format.",
)


_trust = click.option(
    "--trust",
    type=click.Choice(("documents", "verified")),
    default="documents",
    show_default=True,
    help="Whose word counts. `verified` is the default where the root has an authority.yaml; it is not there yet.",
)


@click.group(
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 clean or allow, 1 findings or deny, 2 usage or configuration, 3 undecided or blocked, "
    "4 our own fault.",
)
@click.version_option(__version__, prog_name="cortex-policy", message="%(prog)s %(version)s")
def cli() -> None:
    """Check source-of-truth documents against declared rules."""


def _no_such_root(context: click.Context, parameter: click.Parameter, given: str | None) -> None:
    if given is not None:
        _usage(f"`check` takes its root as an argument: {_quoted('cortex-policy', 'check', given)}")


@cli.command()
@click.argument("root", required=False, type=click.Path(path_type=Path))
@click.option("--root", "named_root", hidden=True, expose_value=False, callback=_no_such_root)
@click.option(
    "--only",
    multiple=True,
    metavar="PATH",
    help="Show only findings that touch PATH (repeatable); everything is still read.",
)
@_pack
@click.option(
    "--select",
    multiple=True,
    metavar="CODE",
    help="Only rules whose code starts with CODE (repeatable, or separated by commas).",
)
@click.option(
    "--ignore",
    multiple=True,
    metavar="CODE",
    help="No rules whose code starts with CODE (repeatable, or separated by commas).",
)
@click.option(
    "--severity",
    type=click.Choice(("error", "warning", "info")),
    default="warning",
    show_default=True,
    help="The least severe finding that makes the check fail.",
)
@click.option(
    "--baseline",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Only findings that FILE, the output of a former `check --format json`, does not hold.",
)
@_now
@_at
@click.option(
    "--base",
    metavar="REV",
    help="Show only what the change since this Git revision brings; the policy is that of REV.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(CHECK_FORMATS),
    default="full",
    show_default=True,
    help="Output format.",
)
def check(
    root: Path | None,
    only: Sequence[str],
    packs: Sequence[str],
    select: Sequence[str],
    ignore: Sequence[str],
    severity: str,
    baseline: Path | None,
    now: str | None,
    at: str | None,
    base: str | None,
    form: str,
) -> None:
    """Check every rule over the whole graph of the documents in ROOT."""
    project, reading, policy = _read_change(root, packs, at, base, now)
    from cortex_policy.app.checking import Selection, open_baseline
    from cortex_policy.app.checking import check as run_check
    from cortex_policy.report import render

    selection = Selection(select=_codes(select), ignore=_codes(ignore), only=_inside(only, project))
    known = open_baseline(baseline, _call_of_check(root, packs)) if baseline is not None else None
    result = run_check(reading, selection, policy, known)
    options = _options(root, packs, project) if form == "full" else ""
    _write(render(form, result, style=_style(options), sources=reading.lines))
    if not result.documents:
        raise UndecidedError(result.notes[0])
    sys.exit(_exit_code(result, severity))


def _exit_code(result: CheckResult, severity: str) -> int:
    """What cannot be decided is no pass, but is told apart from what is known to be wrong."""
    from cortex_policy.model import Outcome, Severity

    loud = [finding for finding in result.findings if finding.severity.rank >= Severity(severity).rank]
    if any(finding.outcome is Outcome.FALSE for finding in loud):
        return EXIT_FINDINGS
    return EXIT_UNDECIDED if loud or result.unread or not result.rules else EXIT_CLEAN


@cli.command()
@_root
@_pack
@click.option(
    "--kind", default="", metavar="KIND", help="Only items of this kind; `document` shows the documents."
)
@click.option("--id", "name", default="", metavar="ID", help="Only the item with this id.")
@_text_or_json
@_now
@_at
def items(
    root: Path | None,
    packs: Sequence[str],
    kind: str,
    name: str,
    form: str,
    now: str | None,
    at: str | None,
) -> None:
    """List the items of the documents, every value with its places and claims."""
    from cortex_policy.app.inspecting import item_views
    from cortex_policy.report.items import render_items, render_items_json

    _, reading = _read(root, packs, at, now)
    views = item_views(reading, kind, name)
    _write(
        render_items_json(views, reading.inputs) if form == "json" else render_items(views, style=_style())
    )


@cli.command()
@click.argument("subject", default="")
@_root
@_pack
@click.option(
    "--depth",
    type=click.IntRange(0, 100),
    default=2,
    show_default=True,
    help="How many steps around SUBJECT to show.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(("dot", "mermaid", "json")),
    default="dot",
    show_default=True,
    help="Output format.",
)
@_now
@_at
def graph(
    subject: str,
    root: Path | None,
    packs: Sequence[str],
    depth: int,
    form: str,
    now: str | None,
    at: str | None,
) -> None:
    """Print the graph of items and documents, or the part around SUBJECT."""
    from cortex_policy.app.inspecting import graph_view
    from cortex_policy.report.graph import FORMATS

    _, reading = _read(root, packs, at, now)
    _write(FORMATS[form](graph_view(reading, subject, depth)))


@cli.command()
@click.argument("code", default="")
@_root
@_pack
@_text_or_json
def rule(code: str, root: Path | None, packs: Sequence[str], form: str) -> None:
    """Show the page of the rule CODE, or list all rules.

    Outside a root and without --pack, the rules of every shipped pack are shown.
    """
    from cortex_policy.app.inspecting import rule_pages
    from cortex_policy.app.project import rulesets_here
    from cortex_policy.report.rule_page import render_index, render_rule, render_rules_json

    pages = rule_pages(rulesets_here(root, packs), code)
    if form == "json":
        _write(render_rules_json(pages))
    elif code:
        _write(render_rule(pages[0], style=_style()))
    else:
        _write(render_index([page.rule for page in pages], style=_style()))


@cli.command()
@click.argument("pack", required=False)
@_root
@click.option(
    "--threshold",
    "thresholds",
    multiple=True,
    metavar="[LEVEL=]N",
    help="Fail below N percent of coverage, on every LEVEL (rules, conditions, branches) or on one; repeatable.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(("text", "json", "junit")),
    default="text",
    show_default=True,
    help="Output format.",
)
def test(pack: str | None, root: Path | None, thresholds: Sequence[str], form: str) -> None:
    """Run the examples and scenarios of PACK (default: the packs of the root, else all that are shipped)."""
    from cortex_policy.app.project import rulesets_here
    from cortex_policy.app.rule_tests import run_tests
    from cortex_policy.report.rule_tests import render_tests, render_tests_json, render_tests_junit

    wanted = _thresholds(thresholds)
    tested = run_tests(rulesets_here(root, (pack,) if pack else ()), _time(None), wanted)
    if form == "json":
        _write(render_tests_json(tested))
    elif form == "junit":
        _write(render_tests_junit(tested, style=_style()))
    else:
        _write(render_tests(tested, style=_style()))
    sys.exit(EXIT_CLEAN if tested.passed else EXIT_FINDINGS)


def _thresholds(given: Sequence[str]) -> dict[str, float]:
    """Percentages by level; a later one wins, and one of a level over one of all."""
    from cortex_policy.verdicts.coverage import LEVELS

    found: dict[str, float] = {}
    for text in sorted(given, key=lambda text: "=" in text):
        level, named, number = text.rpartition("=")
        if named and level not in LEVELS:
            _usage(f"`{level}` is no level of coverage; levels: {', '.join(LEVELS)}")
        try:
            value = float(number)
        except ValueError:
            value = -1.0
        if not 0 <= value <= 100:
            _usage(f"`{number}` is no percentage from 0 to 100")
        found |= dict.fromkeys((level,) if named else LEVELS, value)
    return found


@cli.command()
@click.argument("subject")
@_gate
@_profile
@click.option(
    "--phase",
    type=click.Choice(("pre", "post")),
    default="pre",
    show_default=True,
    help="Which conditions count: those needed before anything starts, or all.",
)
@_set
@_now
@_at
@_root
@_pack
@_trust
@_text_or_json
def gate(
    subject: str,
    name: str,
    profile: str,
    phase: str,
    given: Sequence[str],
    now: str | None,
    at: str | None,
    root: Path | None,
    packs: Sequence[str],
    trust: str,
    form: str,
) -> None:
    """Decide one gate on SUBJECT: the verdict, its proof, and what would unblock it."""
    from cortex_policy.app.gating import gate_verdict, trust_of
    from cortex_policy.report.gate import render_gate, render_gate_json
    from cortex_policy.verdicts.gates import Verdict

    facts = _pairs(given)
    project, reading = _read(root, packs, at, now, whole=True)
    trust_of(project, _chosen_trust(trust))
    found = gate_verdict(reading, subject, name, profile, phase, facts)
    if form == "json":
        _write(render_gate_json(found, reading.inputs))
    else:
        _write(render_gate(found, reading.inputs, style=_style()))
    codes = {Verdict.ALLOW: EXIT_CLEAN, Verdict.DENY: EXIT_FINDINGS}
    sys.exit(codes.get(found.verdict, EXIT_UNDECIDED))


@cli.command(name="next")
@_gate
@_profile
@_set
@_now
@_at
@_root
@_pack
@_trust
@_text_or_json
def next_(
    name: str,
    profile: str,
    given: Sequence[str],
    now: str | None,
    at: str | None,
    root: Path | None,
    packs: Sequence[str],
    trust: str,
    form: str,
) -> None:
    """List what a gate would let through now, what is blocked and by what in the end, and what is for ever."""
    from cortex_policy.app.gating import next_steps, trust_of
    from cortex_policy.report.agenda import render_agenda, render_agenda_json

    facts = _pairs(given)
    project, reading = _read(root, packs, at, now, whole=True)
    trust_of(project, _chosen_trust(trust))
    found = next_steps(reading, name, profile, facts)
    if form == "json":
        _write(render_agenda_json(found, reading.inputs))
    else:
        _write(render_agenda(found, reading.inputs, style=_style()))


@cli.command()
@click.argument("directory", default=".", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Overwrite files that exist.")
def init(directory: Path, force: bool) -> None:
    """Write a configuration, a workboard and an example that passes into DIRECTORY."""
    from cortex_policy.app.starting import next_steps, start

    for path in start(directory, force=force):
        _write(f"wrote {path}\n")
    _write(next_steps(directory))


# --------------------------------------------------------------------------- what is read


def _chosen_trust(trust: str) -> str | None:
    """The trust that the caller names; None where it is only the default."""
    source = click.get_current_context().get_parameter_source("trust")
    return None if source is ParameterSource.DEFAULT else trust


def _read(
    root: Path | None, packs: Sequence[str], at: str | None, now: str | None, *, whole: bool = False
) -> tuple[Project, Reading]:
    """The documents of the work tree or a revision, by the rules of the project; `gates`: shipped gates too."""
    from cortex_policy.app.changing import Request, open_requested
    from cortex_policy.app.project import load_ruleset
    from cortex_policy.app.reading import read_project

    project = open_requested(Request(root, tuple(packs), at))
    return project, read_project(project, load_ruleset(project, whole=whole), _time(now), _progress())


def _read_change(
    root: Path | None, packs: Sequence[str], at: str | None, base: str | None, now: str | None
) -> tuple[Project, Reading, PolicyChange]:
    """The same, compared with a base where one is given, and what the change does to the policy."""
    if base is None:
        project, reading = _read(root, packs, at, now)
        from cortex_policy.app.changing import PolicyChange

        return project, reading, PolicyChange()
    from cortex_policy.app.changing import Request, judge_policy, open_change

    request = Request(root, tuple(packs), at, base)
    change = open_change(request)
    return change.after, change.read(_time(now), _progress()), judge_policy(change, request)


# --------------------------------------------------------------------------- options


def _codes(given: Sequence[str]) -> tuple[str, ...]:
    return tuple(code.strip().upper() for text in given for code in text.split(",") if code.strip())


def _inside(given: Sequence[str], project: Project) -> tuple[str, ...]:
    """Paths as the root knows them: relative to the root, or to the current directory when they exist there."""
    found = []
    for text in given:
        candidates = [project.root / text, Path(text)]
        path = next((candidate for candidate in candidates if project.holds(candidate)), None)
        try:
            inside = path.absolute().relative_to(project.root.absolute()) if path is not None else None
        except ValueError:
            inside = None
        if inside is None:
            _usage(f"`{text}` does not exist in `{project.root}`")
        found.append(inside.as_posix())
    return tuple(found)


def _pairs(given: Sequence[str]) -> dict[str, str]:
    """`NAME=VALUE` as often as it is given; INVARIANT: a name that is given twice is no answer."""
    found: dict[str, str] = {}
    for text in given:
        name, sign, value = text.partition("=")
        if not sign or not name:
            _usage(f"`--set {text}` is no NAME=VALUE")
        if name in found:
            _usage(f"`--set {name}` is given twice")
        found[name] = value
    return found


def _usage(message: str) -> NoReturn:
    raise click.UsageError(message)


def _time(given: str | None) -> datetime:
    if given is None:
        from cortex_policy.world import now

        return now()
    try:
        value = datetime.fromisoformat(given)
    except ValueError:
        _usage(f"`{given}` is no time; write it as 2026-01-31T12:00:00Z")
    return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)


# --------------------------------------------------------------------------- where text goes


def _quoted(*words: str) -> str:
    from shlex import quote  # 2 ms, and only a command that is shown needs it

    return " ".join(map(quote, words))


def _options(root: Path | None, packs: Sequence[str], project: Project) -> str:
    """What the next command must repeat of this call so that it knows the same rules: no more than that, for what is
    found in one house is told in the same words wherever it lies.
    """
    from cortex_policy.app.project import shipped_packs

    if root is not None and not packs:
        if not set(project.packs) <= set(shipped_packs()):
            return _quoted("--root", str(root))
        packs = project.packs
    return _quoted(*(word for pack in packs for word in ("--pack", pack)))


def _call_of_check(root: Path | None, packs: Sequence[str]) -> str:
    """The same for another `check`, which takes its root as an argument."""
    where = [str(root)] if root is not None else []
    return _quoted("cortex-policy", "check", *where, *(word for pack in packs for word in ("--pack", pack)))


def _style(options: str = "") -> Style:
    """Colour and width for standard output: `NO_COLOR` and `FORCE_COLOR` win over what it is connected to."""
    from cortex_policy.report.style import Style
    from cortex_policy.world import terminal_width, variable

    terminal = sys.stdout.isatty()
    color = bool(variable("FORCE_COLOR")) or (terminal and variable("TERM") != "dumb")
    if variable("NO_COLOR"):
        color = False
    return Style(
        color=color,
        width=terminal_width(sys.stdout.fileno()) if terminal else None,
        version=__version__,
        options=options,
    )


def _write(text: str) -> None:
    """UTF-8 to standard output; every format has escaped what may not reach it."""
    sys.stdout.buffer.write(text.encode("utf-8", errors="backslashreplace"))


def _progress() -> Callable[[int, int], None] | None:
    """A counter on standard error, on a terminal, for roots that take a while."""
    if not sys.stderr.isatty():
        return None

    def show(done: int, total: int) -> None:
        if total >= PROGRESS_FROM and (done % 50 == 0 or done == total):
            sys.stderr.write(
                f"\rreading documents {done:,}/{total:,}" + ("\r\033[K" if done == total else "")
            )
            sys.stderr.flush()

    return show


def _complain(error: ConfigurationError) -> None:
    from cortex_policy.report.problems import render_problems
    from cortex_policy.world import terminal_width

    sys.stdout.flush()
    width = terminal_width(sys.stderr.fileno()) if sys.stderr.isatty() else None
    text = render_problems(error.problems, width)
    sys.stderr.buffer.write(text.encode("utf-8", errors="backslashreplace"))


# --------------------------------------------------------------------------- main


def main(args: Sequence[str] | None = None) -> NoReturn:
    """Run the command line; never returns, never shows a traceback as a verdict."""
    gc.disable()  # one command, then the process ends: scanning tokens by the ten thousand for cycles is waste
    _open_closed_streams()
    code = _run(args)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(
        code
    )  # nothing is left to clean up, and taking every value apart takes as long as a tenth of a check


def _open_closed_streams() -> None:
    """A caller may start us with standard output or error closed: what goes there is lost, and nothing else."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - open until the process ends


def _run(args: Sequence[str] | None) -> int:
    try:
        code = cli.main(
            args=list(args) if args is not None else None, prog_name="cortex-policy", standalone_mode=False
        )
        sys.stdout.flush()
        return code if isinstance(code, int) else EXIT_CLEAN
    except SystemExit as stop:
        return _flushed(stop.code if isinstance(stop.code, int) else EXIT_FAULT)
    except (BrokenPipeError, click.exceptions.Abort, KeyboardInterrupt) as stop:
        return _quiet(stop)
    except click.ClickException as error:
        error.show()
        return EXIT_USAGE
    except ConfigurationError as error:
        _complain(error)
        return EXIT_USAGE
    except UndecidedError as error:
        click.echo(f"undecided: {error}", err=True)
        return EXIT_UNDECIDED
    except Exception as error:  # noqa: BLE001 - the last line of defence: a fault of ours is exit 4, never a verdict
        return _fault(error)


def _flushed(code: int) -> int:
    try:
        sys.stdout.flush()
    except BrokenPipeError as stop:
        return _quiet(stop)
    return code


def _quiet(stop: BaseException) -> int:
    """A reader that closed the pipe, or a person who pressed Ctrl-C, wants no more words."""
    devnull = os.open(os.devnull, os.O_WRONLY)
    os.dup2(devnull, sys.stdout.fileno())
    return 130 if isinstance(stop, (KeyboardInterrupt, click.exceptions.Abort)) else EXIT_FINDINGS


def _fault(error: Exception) -> int:
    """A short message and what to do; the traceback only for those who ask for it."""
    from cortex_policy.report.escape import visible
    from cortex_policy.world import variable

    if variable("CORTEX_POLICY_TRACEBACK"):
        import traceback

        traceback.print_exc()
    place: Any = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    where = (
        f" at {Path(place.tb_frame.f_code.co_filename).name}:{place.tb_lineno}" if place is not None else ""
    )
    click.echo(
        f"internal fault in cortex-policy {__version__}: {visible(str(error)) or 'no message'} "
        f"({type(error).__name__}{where})\n"
        "this is no verdict: nothing was decided. Please report it with the command you ran and the output of the same "
        "command under CORTEX_POLICY_TRACEBACK=1.",
        err=True,
    )
    return EXIT_FAULT
