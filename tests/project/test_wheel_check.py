"""The check of the built package finds what may be wrong with one."""

from __future__ import annotations

import importlib.util
import zipfile
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType

import pytest

CHECKOUT = Path(__file__).parents[2]
FOREIGN_LINE = "a line that is long enough to tell from where it was copied, word for word"


@pytest.fixture
def wheel_check(tmp_path: Path) -> ModuleType:
    """`.ci/wheel_check.py`, looking at a small checkout beside a small corpus."""
    spec = importlib.util.spec_from_file_location("wheel_check", CHECKOUT / ".ci" / "wheel_check.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name in ("main/rules/pack/rule.yaml", "main/schemas/check.json", "shared/corpora/plan.md"):
        path = tmp_path / name
        path.parent.mkdir(parents=True)
        path.write_text(f"  {FOREIGN_LINE}\n", encoding="utf-8")
    module.CHECKOUT = tmp_path / "main"  # type: ignore[attr-defined]  # a module of a script has no declared names
    module.CORPORA = tmp_path / "shared" / "corpora"  # type: ignore[attr-defined]  # a module of a script has no declared names
    return module


GOOD = {
    "cortex_policy/__init__.py": "",
    "cortex_policy/py.typed": "",
    "cortex_policy/_shipped/rules/pack/rule.yaml": "id: X",
    "cortex_policy/_shipped/schemas/check.json": "{}",
    "cortex_policy-1.dist-info/licenses/LICENSE": "",
}


def wheel_of(tmp_path: Path, files: Iterable[tuple[str, str]]) -> Path:
    path = tmp_path / "some.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files:
            archive.writestr(name, text)
    return path


def test_a_complete_wheel_passes(wheel_check: ModuleType, tmp_path: Path) -> None:
    wheel_check.look_into_wheel(wheel_of(tmp_path, GOOD.items()))


@pytest.mark.parametrize("lost", [n for n in GOOD if not n.endswith("__init__.py")])
def test_a_wheel_that_lacks_a_file_fails(wheel_check: ModuleType, tmp_path: Path, lost: str) -> None:
    wheel = wheel_of(tmp_path, [(n, t) for n, t in GOOD.items() if n != lost])
    with pytest.raises(wheel_check.CheckFailed):
        wheel_check.look_into_wheel(wheel)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("tests/test_x.py", ""),
        ("sot_examples/clean/a.md", ""),
        ("cortex_policy/_shipped/rules/pack/copied.yaml", f"why: |\n    {FOREIGN_LINE}\n"),
    ],
)
def test_a_wheel_with_something_foreign_fails(
    wheel_check: ModuleType, tmp_path: Path, name: str, text: str
) -> None:
    with pytest.raises(wheel_check.CheckFailed):
        wheel_check.look_into_wheel(wheel_of(tmp_path, [*GOOD.items(), (name, text)]))


def test_a_checkout_without_rules_proves_nothing(wheel_check: ModuleType, tmp_path: Path) -> None:
    (wheel_check.CHECKOUT / "rules" / "pack" / "rule.yaml").unlink()
    with pytest.raises(wheel_check.CheckFailed, match="no rules/"):
        wheel_check.look_into_wheel(wheel_of(tmp_path, GOOD.items()))


def test_a_program_that_ends_otherwise_than_expected_fails(wheel_check: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(wheel_check.CheckFailed, match="ended with 3, expected 0"):
        wheel_check.run("bash", "-c", "exit 3", cwd=tmp_path)
