"""Several processes parse; whatever becomes of them, the result is the same."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cortex_policy.app import parsing
from cortex_policy.app.parallel import spread
from cortex_policy.app.parsing import load_files, parse_files
from cortex_policy.app.project import load_ruleset, open_project
from cortex_policy.model import Document


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for number in range(12):
        (tmp_path / f"prd-{number}.md").write_text(
            f"---\nid: PRD-{number:03d}\nkind: prd\ntitle: One\nstatus: draft\n---\n\n# One\n\n- [ ] a box {number}\n"
        )
    return tmp_path


def documents(root: Path) -> list[Document]:
    project = open_project(root, ("starter",))
    ruleset = load_ruleset(project)
    return list(parse_files(load_files(project, ruleset.model, project.tree()), ruleset.model))


def test_shares_are_the_same_documents(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    alone = documents(root)
    assert len(alone) == 12
    monkeypatch.setattr(parsing, "PARALLEL_FROM", 1)
    for count in (1, 2, 3, 20):
        monkeypatch.setattr(parsing, "processes", lambda count=count: count)
        assert documents(root) == alone


@pytest.mark.parametrize("fate", ["raises", "is killed"])
def test_what_a_child_does_not_deliver_the_parent_does(fate: str) -> None:
    parent = os.getpid()

    def work(job: int) -> int:
        if os.getpid() != parent:
            if fate == "raises":
                raise RuntimeError("a child's own fault")
            os.kill(os.getpid(), 9)
        return job * job

    assert spread(work, [1, 2, 3, 4], [1, 1, 1, 1], 3) == [1, 4, 9, 16]


def test_what_work_itself_raises_is_raised() -> None:
    def work(job: int) -> int:
        raise ValueError(job)

    with pytest.raises(ValueError, match="2"):
        spread(work, [2, 2], [1, 1], 2)


def test_no_job_is_no_result() -> None:
    assert spread(lambda job: job, [], [], 2) == []
