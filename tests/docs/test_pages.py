"""Every link leads somewhere, every code and path exists, and no count that changes is written down."""

from __future__ import annotations

import re

import pytest

from cortex_policy.app.changing import change_infos
from cortex_policy.app.checking import Selection, rule_infos
from cortex_policy.app.project import Project, load_ruleset, shipped_packs
from tests.docs.pages import ALL, CHECKOUT, OURS, anchors, code, fences, links, table, text_of

EXTERNAL = re.compile(r"[a-z]+:")
FIRST_SCREEN = 40
WORDS = (
    "two three four five six seven eight nine ten eleven twelve twenty thirty forty fifty hundred thousand"
)
NOUNS = "rule document item finding test format command pack limit page second minute"
COUNT = (
    rf"\b(?:\d[\d,.]*|{WORDS.replace(' ', '|')})\s+(?:\w+\s+)?(?:(?:{NOUNS.replace(' ', '|')})s?|ms|%)(?!\w)"
)


@pytest.fixture(scope="module")
def known_codes() -> set[str]:
    projects = [Project(root=CHECKOUT, packs=(pack,), base=CHECKOUT) for pack in shipped_packs()]
    ours = {info.id for project in projects for info in rule_infos(load_ruleset(project), Selection())}
    return ours | {info.id for info in change_infos()}


@pytest.mark.parametrize("page", ALL)
def test_every_relative_link_leads_somewhere(page: str) -> None:
    broken = []
    for link in links(page):
        path, _, anchor = link.partition("#")
        if EXTERNAL.match(link):
            continue
        target = (CHECKOUT / page).parent / path if path else CHECKOUT / page
        found = (
            anchors(target.resolve().relative_to(CHECKOUT).as_posix()) if anchor and target.exists() else ()
        )
        if not target.exists() or (anchor and anchor not in found):
            broken.append(link)
    assert broken == []


def test_every_page_is_in_the_index() -> None:
    linked = {(CHECKOUT / "docs" / link.partition("#")[0]).resolve() for link in links("docs/index.md")}
    pages = {path.resolve() for path in CHECKOUT.glob("docs/**/*.md")} - {CHECKOUT / "docs/index.md"}
    assert pages - linked == set()


@pytest.mark.parametrize("page", [page for page in ALL if page != "CHANGELOG.md"])
def test_no_page_names_a_rule_that_does_not_exist(page: str, known_codes: set[str]) -> None:
    assert set(re.findall(r"\bCPX-[A-Z]+-\d{3}\b", text_of(page))) - known_codes == set()


def prose(page: str) -> str:
    """A page without its fenced blocks and code spans."""
    lines = text_of(page).splitlines()
    for fence in fences(page):
        end = fence.line + fence.text.count("\n") + 1
        lines[fence.line - 1 : end] = [""] * (end - fence.line + 1)
    return re.sub(r"`[^`]*`", "", "\n".join(lines))


@pytest.mark.parametrize("page", ["README.md", "docs/index.md"])
def test_no_count_of_ours_is_written_down(page: str) -> None:
    assert re.findall(COUNT, prose(page), re.IGNORECASE) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("it has 40 rules", True),
        ("checks 10,000 documents", True),
        ("seven output formats", True),
        ("in 130 ms", True),
        ("Python 3.11 or newer", False),
        ("exit code 2", False),
    ],
)
def test_a_count_is_recognised(text: str, found: bool) -> None:
    assert bool(re.search(COUNT, text, re.IGNORECASE)) is found


@pytest.mark.parametrize(
    "needed", ["$ make demo", "$ make test", "$ cortex-policy check sot_examples/faulty"]
)
def test_the_first_screen_has_what_a_newcomer_needs(needed: str) -> None:
    lines = text_of("README.md").splitlines()[:FIRST_SCREEN]
    assert any(line.startswith(needed) for line in lines)


def test_the_map_shows_the_checkout() -> None:
    shown = {code(row["where"]) for row in table("README.md", "The map")}
    assert [path for path in sorted(shown) if not (CHECKOUT / path).exists()] == []
    package = CHECKOUT / "cortex_policy"
    rooms = {path for path in package.iterdir() if not path.name.startswith(("_", ".", "py.typed"))}
    assert {f"cortex_policy/{p.name}{'/' if p.is_dir() else ''}" for p in rooms} - shown == set()


def test_the_map_has_the_order_of_the_pipeline() -> None:
    shown = [code(row["where"]) for row in table("README.md", "The map")]
    rooms = [path.removeprefix("cortex_policy/").removesuffix("/").removesuffix(".py") for path in shown[:11]]
    pyproject = (CHECKOUT / "pyproject.toml").read_text(encoding="utf-8")
    layers = re.findall(r'^    "\(?(\w+)\)?",$', pyproject.split("layers = [")[1].split("]")[0], re.MULTILINE)
    assert rooms == [layer for layer in reversed(layers) if layer in rooms]
    assert len(rooms) == len(set(rooms)) == 11


@pytest.mark.parametrize("page", OURS)
def test_a_page_of_ours_has_no_badge_and_no_emoji(page: str) -> None:
    text = text_of(page)
    assert "![" not in text
    assert re.findall("[\U0001f000-\U0001faff\u2600-\u27bf]", text) == []
