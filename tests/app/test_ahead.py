"""Other processes parse ahead; whatever becomes of them, the parent's result is the same."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cortex_policy.app import ahead, parsing
from cortex_policy.app.parallel import Helpers, shares, start
from cortex_policy.app.parsing import Delivery, load_files, parse_ahead, parse_files
from cortex_policy.app.project import load_ruleset, open_project
from cortex_policy.errors import ConfigurationError
from cortex_policy.model import Document

PACKS = ("starter",)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for number in range(12):
        (tmp_path / f"prd-{number}.md").write_text(
            f"---\nid: PRD-{number:03d}\nkind: prd\ntitle: One\nstatus: draft\n---\n\n# One\n\n- [ ] a box {number}\n"
        )
    return tmp_path


def documents(
    root: Path, helpers: Helpers | None, meanwhile: Callable[[], None] = lambda: None
) -> list[Document]:
    """What the parent makes of `root`, after something happened before its own reading."""
    project = open_project(root, PACKS)
    ruleset = load_ruleset(project)
    meanwhile()
    files = load_files(project, ruleset.model, project.tree())
    return list(parse_files(files, ruleset.model, ruleset.digest, ahead=helpers))


def helpers(work: Callable[[int, int], Any]) -> Helpers:
    return start(work, 3, lead=0)


def test_shares_are_the_same_documents(root: Path) -> None:
    alone = documents(root, None)
    assert len(alone) == 12
    with helpers(lambda number, of: parse_ahead(root, PACKS, number, of, 0)) as three:
        assert documents(root, three) == alone


def _fails(number: int, of: int) -> Delivery:
    raise RuntimeError("a helper's own fault")


def _killed(number: int, of: int) -> Delivery:
    os.kill(os.getpid(), 9)
    raise AssertionError


def _by_other_rules(root: Path) -> Callable[[int, int], Delivery]:
    return lambda number, of: parse_ahead(root, PACKS, number, of, 0)._replace(rules="sha256:other")


def _of_another_root(root: Path) -> Callable[[int, int], Delivery]:
    return lambda number, of: parse_ahead(root / "nowhere", PACKS, number, of, 0)


@pytest.mark.parametrize(
    "work", [lambda _: _fails, lambda _: _killed, _by_other_rules, _of_another_root], ids=lambda f: f.__name__
)
def test_what_a_helper_does_not_deliver_the_parent_does_itself(
    root: Path, work: Callable[[Path], Callable[[int, int], Delivery]]
) -> None:
    with helpers(work(root)) as three:
        assert documents(root, three) == documents(root, None)


def test_a_file_that_changed_after_a_helper_read_it_is_parsed_again(root: Path) -> None:
    delivered = [parse_ahead(root, PACKS, number, 3, 0) for number in (1, 2)]

    def change() -> None:
        for number in range(12):
            (root / f"prd-{number}.md").write_text(f"---\nid: PRD-{number:03d}\nkind: prd\n---\n\n# Other\n")

    with helpers(lambda number, of: delivered[number - 1]) as three:
        found = documents(root, three, meanwhile=change)
    assert found == documents(root, None)
    assert all("Other" in str(document.declarations) for document in found)


def test_a_deleted_file_is_not_delivered(root: Path) -> None:
    delivered = [parse_ahead(root, PACKS, number, 3, 0) for number in (1, 2)]
    with helpers(lambda number, of: delivered[number - 1]) as three:
        found = documents(root, three, meanwhile=lambda: (root / "prd-3.md").unlink())
    assert [document.path for document in found] == sorted(
        f"prd-{number}.md" for number in range(12) if number != 3
    )


def test_helpers_end_when_the_rules_turn_out_to_be_broken() -> None:
    def endless(number: int, of: int) -> Delivery:
        while True:
            pass

    with pytest.raises(ConfigurationError), helpers(endless) as two:
        raise ConfigurationError(())
    assert two.collect() == []
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_nobody_is_started_for_a_small_root(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead, "processes", lambda: 2)
    with ahead.start_ahead(root, PACKS) as nobody:
        assert nobody.count == 1
    (root / "large.txt").write_bytes(b"x" * ahead.AHEAD_FROM)
    with ahead.start_ahead(root, PACKS) as one:
        assert one.count == 2
        assert documents(root, one) == documents(root, None)


def test_a_missing_root_is_for_the_parent_to_tell(tmp_path: Path) -> None:
    with ahead.start_ahead(tmp_path / "nowhere", PACKS) as nobody:
        assert nobody.count == 1


def test_every_job_is_somebodys() -> None:
    weights = [5, 1, 9, 3, 3, 7]
    for count in (1, 2, 3, 8):
        for lead in (0, 4, 1_000):
            found = shares(weights, count, lead)
            assert len(found) == count
            assert sorted(index for share in found for index in share) == list(range(len(weights)))


def test_who_has_other_work_gets_less() -> None:
    assert shares([4, 4, 4], 2, lead=100) == [[], [0, 1, 2]]


def test_much_is_shared_without_helpers_too(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    alone = documents(root, None)
    monkeypatch.setattr(parsing, "PARALLEL_FROM", 1)
    monkeypatch.setattr(parsing, "processes", lambda: 3)
    assert documents(root, None) == alone
