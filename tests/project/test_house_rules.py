"""The machines that guard the architecture bite: each is shown a violation, and must name it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))
CONTRACTS = {c["id"]: c for c in PROJECT["tool"]["importlinter"]["contracts"]}
LAYERS = [name.strip("()") for name in CONTRACTS["direction"]["layers"]]
# What the real package imports from outside, so that no contract of the miniature below is about nothing.
OWNERS = {
    "documents": "import frontmatter, jsonschema, markdown_it, yaml",
    "graph": "import networkx",
    "cli": "import click",
    "__main__": "from cortex_policy.cli import main",
}


def test_the_layers_are_those_of_the_architecture() -> None:
    assert list(reversed(LAYERS)) == [
        "errors",
        "model",
        "documents",
        "graph",
        "facts",
        "ruleset",
        "verdicts",
        "dispatch",
        "evidence",
        "report",
        "world",
        "app",
        "cli",
    ]


def test_every_module_of_the_package_has_a_place() -> None:
    present = {p.stem for p in (CHECKOUT / "cortex_policy").iterdir() if p.suffix == ".py" or p.is_dir()}
    assert present - {"__init__", "__main__", "__pycache__"} <= set(LAYERS)


def lint_miniature(tmp_path: Path, module: str, statement: str) -> subprocess.CompletedProcess[str]:
    """Run the project's contracts over a package of empty modules, one of which also holds `statement`."""
    package = tmp_path / "cortex_policy"
    package.mkdir()
    for name in ["__init__", "__main__", *LAYERS, module]:
        (package / f"{name}.py").write_text(f"{OWNERS.get(name, '')}\nmain = None\n", encoding="utf-8")
    with (package / f"{module}.py").open("a", encoding="utf-8") as file:
        file.write(f"{statement}\n")
    shutil.copy(CHECKOUT / "pyproject.toml", tmp_path)
    program = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
    return subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, encoding="utf-8", check=False
    )


def test_the_contracts_accept_imports_to_the_left(tmp_path: Path) -> None:
    done = lint_miniature(tmp_path, "facts", "from cortex_policy import graph, model")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("module", "statement", "broken"),
    [
        ("facts", "from cortex_policy import verdicts", "direction"),
        ("model", "def late():\n    import cortex_policy.app", "direction"),
        ("newcomer", "", "direction"),
        ("ruleset", "import yaml", "documents-own-parsers"),
        ("report", "def late():\n    from jsonschema import validators", "documents-own-parsers"),
        ("facts", "from networkx import DiGraph", "graph-owns-networkx"),
        ("app", "import click", "cli-owns-click"),
    ],
)
def test_a_contract_breaks(tmp_path: Path, module: str, statement: str, broken: str) -> None:
    done = lint_miniature(tmp_path, module, statement)
    assert done.returncode == 1, done.stdout + done.stderr
    flat = " ".join(done.stdout.split())
    assert f"{CONTRACTS[broken]['name']} BROKEN" in flat


def ruff_codes(path: str, source: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--no-cache", "--output-format", "json",
         "--stdin-filename", path, "-"],
        cwd=CHECKOUT, input=source, capture_output=True, encoding="utf-8", check=False,
    )  # fmt: skip
    return {found["code"] for found in json.loads(done.stdout)}


@pytest.mark.parametrize(
    ("path", "source", "code"),
    [
        ("cortex_policy/facts.py", "import time\n\nx = time.time()\n", "TID251"),
        ("cortex_policy/app.py", "import datetime\n\nx = datetime.datetime.now(datetime.UTC)\n", "TID251"),
        ("cortex_policy/cli.py", "from datetime import date\n\nx = date.today()\n", "TID251"),
        ("cortex_policy/cli.py", "import os\n\nx = os.environ\n", "TID251"),
        ("cortex_policy/report/text.py", "from os import getenv\n\nx = getenv('NO_COLOR')\n", "TID251"),
        ("cortex_policy/verdicts.py", "import subprocess\n\nx = subprocess.run\n", "TID251"),
        ("cortex_policy/app.py", "print('hello')\n", "T201"),
        ("cortex_policy/app.py", "try:\n    x = 1\nexcept Exception:\n    x = 2\n", "BLE001"),
        ("cortex_policy/ruleset/fast.py", "x = eval('1')\n", "S307"),
        ("cortex_policy/app.py", "from .model import Item\n\nx = Item\n", "TID252"),
    ],
)
def test_ruff_refuses(path: str, source: str, code: str) -> None:
    assert code in ruff_codes(path, source)


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("cortex_policy/world.py", "import os\nimport subprocess\n\nx = os.environ, subprocess.run\n"),
        ("cortex_policy/cli.py", "print('hello')\n"),
    ],
)
def test_ruff_leaves_the_owner_in_peace(path: str, source: str) -> None:
    assert ruff_codes(path, source) == set()


def test_no_file_of_the_project_is_exempt_from_pytest_strictness() -> None:
    options = PROJECT["tool"]["pytest"]["ini_options"]
    assert options["filterwarnings"] == ["error"]
    assert options["xfail_strict"] is True
    assert {"--strict-markers", "--strict-config"} <= set(options["addopts"])
    assert options["testpaths"] == ["tests"]
