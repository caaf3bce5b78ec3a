"""Build sdist and wheel, look into them, install the wheel into an empty environment, and use it there.

Run by `make wheel-check` with the Python of .venv. Writes into one temporary directory only, and removes it.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import venv
import zipfile
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
CORPORA = CHECKOUT.parent / "shared" / "corpora"
SHIPPED = "cortex_policy/_shipped/"
NEEDED_BY_A_BUILDER = ("pyproject.toml", "Makefile", "README.md", "LICENSE", ".ci/run", "action.yml")
TREES_FOR_A_TESTER = ("tests", "sot_examples", "docs", "rules", "schemas", "cortex_policy")
FROM_ANOTHER_PROJECT = {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"}
# Shorter lines are common phrases and say nothing about where a text came from.
TELLING_LINE = 60


class CheckFailed(Exception):
    """One expectation about the built package does not hold."""


def expect(holds: bool, message: str) -> None:
    if not holds:
        raise CheckFailed(message)


def run(*command: str | Path, cwd: Path, code: int = 0) -> str:
    """Run `command` in `cwd`, the checkout out of sight; return its stdout. It must end with `code`."""
    environment = {name: value for name, value in os.environ.items() if name not in FROM_ANOTHER_PROJECT}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    shown = " ".join(str(part) for part in command)
    expect(
        done.returncode == code,
        f"`{shown}` ended with {done.returncode}, expected {code}\n{done.stdout}{done.stderr}",
    )
    return done.stdout


def build(into: Path) -> tuple[Path, Path]:
    """Build the sdist, and the wheel from that sdist (so the sdist holds all that a build needs)."""
    run(sys.executable, "-m", "build", "--outdir", into, CHECKOUT, cwd=into)
    (wheel,) = into.glob("*.whl")
    (sdist,) = into.glob("*.tar.gz")
    return sdist, wheel


def files_of(tree: Path) -> set[str]:
    return {
        path.relative_to(CHECKOUT).as_posix()
        for path in tree.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def look_into_wheel(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        texts = {name: archive.read(name).decode("utf-8", "replace") for name in names}
    foreign = sorted(n for n in names if not n.startswith(("cortex_policy/", "cortex_policy-")))
    expect(not foreign, f"the wheel holds what is not of the package: {foreign[:5]}")
    expect("cortex_policy/py.typed" in names, "the wheel holds no cortex_policy/py.typed")
    expect(any(n.endswith("/licenses/LICENSE") for n in names), "the wheel holds no LICENSE")
    for tree in ("rules", "schemas"):
        wanted = files_of(CHECKOUT / tree)
        expect(bool(wanted), f"the checkout holds no {tree}/")
        missing = sorted(n for n in wanted if SHIPPED + n not in names)
        expect(not missing, f"the wheel lacks {missing[:5]}")
    look_for_copied_text(texts)


def look_for_copied_text(texts: dict[str, str]) -> None:
    """No telling line of the corpora, which are other people's documents, may be shipped."""
    if not CORPORA.is_dir():
        print("  (no ../shared/corpora here: not compared with them)")
        return
    telling = {
        line.strip()
        for path in CORPORA.rglob("*")
        if path.is_file()
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines()
        if len(line.strip()) >= TELLING_LINE
    }
    copied = [
        f"{name}: {line.strip()[:80]}"
        for name, text in sorted(texts.items())
        if not name.endswith("/LICENSE")  # everybody's text: one corpus carries the same licence
        for line in text.splitlines()
        if line.strip() in telling
    ]
    expect(not copied, "text of ../shared/corpora is in the wheel:\n" + "\n".join(copied[:5]))


def look_into_sdist(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    missing = [name for name in NEEDED_BY_A_BUILDER if name not in names]
    expect(not missing, f"the sdist lacks {missing}")
    for tree in TREES_FOR_A_TESTER:
        left_out = sorted(files_of(CHECKOUT / tree) - names)
        expect(not left_out, f"the sdist lacks {left_out[:5]}")


def install(wheel: Path, where: Path) -> Path:
    venv.create(where, with_pip=True)
    bin_dir = where / ("Scripts" if os.name == "nt" else "bin")
    run(bin_dir / "python", "-m", "pip", "install", "--quiet", "--no-input", wheel, cwd=where)
    return bin_dir


def use(bin_dir: Path, outside: Path) -> None:
    """The commands a stranger types first, in a directory that has never seen the checkout."""
    command = bin_dir / "cortex-policy"
    where = run(bin_dir / "python", "-c", "import cortex_policy; print(cortex_policy.__file__)", cwd=outside)
    expect(str(CHECKOUT) not in where, f"the checkout is in sight: {where}")
    source = (CHECKOUT / "cortex_policy" / "__init__.py").read_text(encoding="utf-8")
    version = re.findall(r'^__version__ = "([^"]+)"$', source, re.MULTILINE)[0]
    expect(version in run(command, "--version", cwd=outside), f"`--version` does not say {version}")
    answer = json.loads(run(command, "rule", "--format", "json", cwd=outside))
    rules = answer["rules"] if isinstance(answer, dict) else answer
    expect(len(rules) > 0, "the installed command finds no rule: where are the packs?")
    for name, code in (("clean", 0), ("faulty", 1)):
        root = outside / name
        shutil.copytree(CHECKOUT / "sot_examples" / name, root)
        run(command, "check", root, cwd=outside, code=code)


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="cortex-policy-wheel-") as name:
        work = Path(name).resolve()
        for part in ("dist", "outside"):
            (work / part).mkdir()
        try:
            print("  build sdist and wheel …", flush=True)
            sdist, wheel = build(work / "dist")
            look_into_sdist(sdist)
            look_into_wheel(wheel)
            print("  install the wheel into an empty environment, and use it …", flush=True)
            use(install(wheel, work / "venv"), work / "outside")
        except CheckFailed as failure:
            print(f"wheel check FAILED: {failure}", file=sys.stderr)
            return 1
        print(f"wheel check passed: {wheel.name} ({wheel.stat().st_size // 1024} KiB)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
