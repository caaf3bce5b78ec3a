"""What the package says about itself: requirements, version, licence, and the reasons for them."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import cortex_policy

CHECKOUT = Path(__file__).parents[2]
PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))
RUNTIME = {
    "click",
    "google-re2",
    "jsonschema",
    "markdown-it-py",
    "networkx",
    "python-frontmatter",
    "PyYAML",
}
ADRS = sorted((CHECKOUT / "docs" / "adr").glob("*.md"))


def name_of(requirement: str) -> str:
    return re.split(r"[<>=!~ ;\[]", requirement, maxsplit=1)[0]


def test_the_runtime_needs_exactly_these_packages() -> None:
    assert {name_of(r) for r in PROJECT["project"]["dependencies"]} == RUNTIME


def test_every_runtime_package_has_a_lower_bound() -> None:
    assert [r for r in PROJECT["project"]["dependencies"] if ">=" not in r] == []


def test_every_package_has_a_reason_in_the_record_of_extra_packages() -> None:
    reasons = (CHECKOUT / "docs" / "adr" / "0003-extra-packages.md").read_text(encoding="utf-8")
    development = {name_of(r) for r in PROJECT["project"]["optional-dependencies"]["dev"]}
    named = {n for n in RUNTIME | development if re.search(rf"(?<![\w-]){re.escape(n)}(?![\w-])", reasons)}
    stubs = {n for n in development if n.startswith("types-")}
    assert RUNTIME | development == named | stubs


def test_python_licence_and_typing_are_declared() -> None:
    project = PROJECT["project"]
    assert project["requires-python"] == ">=3.11"
    assert project["license"] == "Apache-2.0"
    assert (CHECKOUT / "cortex_policy" / "py.typed").is_file()


def test_the_licence_is_the_whole_apache_licence() -> None:
    text = (CHECKOUT / "LICENSE").read_text(encoding="utf-8")
    numbered = re.findall(r"^   (\d)\. ", text, re.MULTILINE)
    assert numbered == [str(n) for n in range(1, 10)]
    assert "END OF TERMS AND CONDITIONS" in text


def test_the_console_script_is_the_entry_point_of_the_command_line() -> None:
    assert PROJECT["project"]["scripts"] == {"cortex-policy": "cortex_policy.cli:main"}


def test_the_version_stands_in_one_place() -> None:
    assert "version" not in PROJECT["project"]
    assert PROJECT["project"]["dynamic"] == ["version"]
    assert PROJECT["tool"]["hatch"]["version"]["path"] == "cortex_policy/__init__.py"
    stated = [
        path.relative_to(CHECKOUT).as_posix()
        for path in [*CHECKOUT.glob("*.*"), *CHECKOUT.glob("cortex_policy/**/*.py")]
        if path.suffix in {".md", ".py", ".toml", ".yaml", ".yml"}
        and re.search(rf'"{re.escape(cortex_policy.__version__)}"', path.read_text("utf-8"))
    ]
    assert stated == ["cortex_policy/__init__.py"]


def test_importing_the_package_imports_nothing_else() -> None:
    program = "import sys; old = set(sys.modules); import cortex_policy; print(*set(sys.modules) - old)"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=CHECKOUT, capture_output=True, encoding="utf-8", check=True
    )
    assert set(done.stdout.split()) <= {"__future__", "cortex_policy"}


def test_every_decision_record_has_a_number_of_its_own() -> None:
    assert [path.name[:4] for path in ADRS] == [f"{n:04d}" for n in range(1, len(ADRS) + 1)]
    assert len(ADRS) >= 3


@pytest.mark.parametrize("record", ADRS, ids=lambda path: path.stem)
def test_a_decision_record_says_why_and_at_what_cost(record: Path) -> None:
    text = record.read_text(encoding="utf-8")
    assert re.search(r"^Status: (accepted|superseded by \d{4})$", text, re.MULTILINE)
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["Context", "Decision", "Consequences"]


def test_the_changelog_has_a_place_for_what_is_not_released() -> None:
    text = (CHECKOUT / "CHANGELOG.md").read_text(encoding="utf-8")
    sections = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert sections[0] == "[Unreleased]"


PROSE = [CHECKOUT / "CONTRIBUTING.md", CHECKOUT / "CHANGELOG.md", CHECKOUT / "docs" / "ci.md", *ADRS]


@pytest.mark.parametrize("page", PROSE, ids=lambda path: path.stem)
def test_a_file_that_a_page_names_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:docs|rules|schemas|tests|sot_examples|benchmarks|\.ci)/[\w./-]*)`", text))
    assert [name for name in sorted(named) if not (CHECKOUT / name).exists()] == []


def test_the_table_of_modules_is_the_order_of_the_contracts() -> None:
    layers = PROJECT["tool"]["importlinter"]["contracts"][0]["layers"]
    rows = re.findall(
        r"^\| `(\w+)/?` \| [a-z]", (CHECKOUT / "CONTRIBUTING.md").read_text("utf-8"), re.MULTILINE
    )
    assert rows == [layer.strip("()") for layer in reversed(layers)]


def test_every_target_that_contributors_are_told_of_exists() -> None:
    told = set(
        re.findall(r"`make ([a-z][a-z-]+)`", (CHECKOUT / "CONTRIBUTING.md").read_text(encoding="utf-8"))
    )
    targets = set(
        re.findall(r"^([a-z-]+):", (CHECKOUT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    )
    assert "test" in told
    assert told <= targets
