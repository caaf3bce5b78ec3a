from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cortex_policy.model import Place
from cortex_policy.report import Style
from cortex_policy.report.graph import (
    FORMATS,
    EdgeView,
    GraphView,
    NodeView,
    render_dot,
    render_json,
    render_mermaid,
)
from cortex_policy.report.items import ClaimView, FieldView, ItemView, render_items, render_items_json
from cortex_policy.report.rule_page import (
    RulePage,
    render_index,
    render_rule,
    render_rules,
    render_rules_json,
)
from tests.report.hostile import HOSTILE, raw_hidden
from tests.report.results import BLOCKERS, INPUTS, RULES, SPELLING

ANY_TEXT = st.text(st.characters(exclude_categories=())) | st.sampled_from(list(HOSTILE.values()))
PLAIN = Style()

# ------------------------------------------------------------------ the page of a rule

PAGE = RulePage(
    BLOCKERS,
    for_='i in items("task")',
    when='i.status == "done"',
    require=(("blockers", 'i.blocked_by.all(b,\n  b.status == "done")'),),
    examples=(("pass", "# TASK-1\n\nStatus: done\n"), ("fail", "# TASK-2\n\tStatus: done")),
)


def test_a_page_says_everything_of_its_rule() -> None:
    assert render_rule(PAGE, style=PLAIN) == (
        "TST-001 done-needs-done-blockers\n"
        "error in pack demo\n"
        "\nmessage\n  {i.id} is done, but its blocker is not\n"
        "\nwhy\n  work that waits for other work is not done before it.\n\n  A second paragraph.\n"
        '\nfor\n  i in items("task")\n'
        '\nwhen\n  i.status == "done"\n'
        '\nrequire\n  blockers:\n    i.blocked_by.all(b,\n      b.status == "done")\n'
        "\nsource\n  docs/plan.md:3\n"
        "\nexample 1: pass\n  | # TASK-1\n  |\n  | Status: done\n"
        "\nexample 2: fail\n  | # TASK-2\n  |     Status: done\n"
    )


def test_a_page_leaves_out_what_a_rule_has_not() -> None:
    assert render_rule(RulePage(SPELLING), style=PLAIN) == "TST-003 status-is-lower-case\ninfo\n"


def test_pages_follow_each_other() -> None:
    text = render_rules([RulePage(SPELLING), PAGE], style=PLAIN)
    assert text == f"{render_rule(RulePage(SPELLING), style=PLAIN)}\n{render_rule(PAGE, style=PLAIN)}"


def test_prose_is_wrapped_and_code_is_not() -> None:
    page = PAGE._replace(when="a" * 50 + " && b")
    text = render_rule(page, style=Style(width=30))
    assert "  work that waits for other\n  work is not done before it.\n" in text
    assert f"  {page.when}\n" in text


def test_the_index_has_a_line_a_rule() -> None:
    assert render_index(RULES, style=PLAIN) == (
        "TST-001  error    done-needs-done-blockers\n"
        "TST-002  warning  approval-has-an-end\n"
        "TST-003  info     status-is-lower-case\n"
    )


def test_an_index_without_rules_says_what_to_do() -> None:
    assert "--pack" in render_index((), style=PLAIN)


def test_rules_as_json() -> None:
    value = json.loads(render_rules_json([PAGE]))
    assert value["schema_version"] == "1"
    (rule,) = value["rules"]
    assert " ".join(rule) == "id name severity pack message why source on for when require examples"
    assert rule["require"] == [{"condition": "blockers", "expression": PAGE.require[0][1]}]
    assert rule["examples"][0] == {"verdict": "pass", "document": "# TASK-1\n\nStatus: done\n"}


# ------------------------------------------------------------------ items

HERE = Place("plan.md", 3, 9)
THERE = Place("board.md", 7, 1)
ITEM = ItemView(
    "task",
    "TASK-1",
    (HERE, THERE),
    (
        FieldView("title", "One", "stated", (ClaimView("declared", "One", HERE, "# TASK-1 One"),)),
        FieldView(
            "status",
            None,
            "conflict",
            (
                ClaimView("declared", "done", HERE, "Status: done", holds=False),
                ClaimView("workboard", "open", THERE, "- TASK-1: open", holds=False),
            ),
        ),
        FieldView("needs", ["TASK-2"], "stated", ()),
        FieldView(
            "phase",
            2,
            "stated",
            (
                ClaimView("proof", 2, HERE, "2", "2026-06-01T10:00:00Z", "2026-06-01T10:00:00Z"),
                ClaimView("proof", 2, THERE, "2"),
                ClaimView("proof", 3, THERE, "3", "2026-05-01", "2026-05-02", "for a test only", holds=False),
            ),
        ),
        FieldView("owner", None, "unread", (ClaimView("declared", "Ada", HERE, "Ada", holds=False),)),
        FieldView(
            "size", None, "scoped", (ClaimView("proof", 1, HERE, "1", None, None, "here", holds=False),)
        ),
    ),
    ("# TASK-1 One", "- TASK-1: open"),
)


def test_items_as_text() -> None:
    assert render_items([ITEM], style=PLAIN) == (
        "TASK-1 task\n"
        "  --> plan.md:3:9\n"
        "  --> board.md:7:1\n"
        "  title   One  (declared, plan.md:3:9)\n"
        "  status  conflict: the claims below disagree\n"
        "    done  (declared, plan.md:3:9)\n"
        "    open  (workboard, board.md:7:1)\n"
        "  needs   TASK-2\n"
        "  phase   2  (proof, 2026-06-01T10:00:00Z, plan.md:3:9) and 1 more claim\n"
        "    3 for a test only  (proof, 2026-05-01 to 2026-05-02, board.md:7:1)\n"
        "  owner   unread: a document that could not be read may say otherwise than the claims below\n"
        "    Ada  (declared, plan.md:3:9)\n"
        "  size    no answer: the claims below hold within their scope\n"
        "    1 here  (proof, plan.md:3:9)\n"
        "\n"
        "1 item\n"
    )


def test_no_items_are_said_to_be_none() -> None:
    assert render_items([], style=PLAIN) == "0 items\n"


def test_items_as_json() -> None:
    value = json.loads(render_items_json([ITEM], INPUTS))
    assert list(value) == ["schema_version", "items", "inputs"]
    (item,) = value["items"]
    assert list(item) == ["id", "kind", "declarations", "mentions", "fields"]
    assert item["declarations"][1] == {"path": "board.md", "line": 7, "column": 1, "text": "- TASK-1: open"}
    assert item["fields"]["status"] == {
        "value": None,
        "state": "conflict",
        "claims": [
            {
                "kind": "declared",
                "value": "done",
                "path": "plan.md",
                "line": 3,
                "column": 9,
                "text": "Status: done",
                "at": None,
                "until": None,
                "scope": "",
                "holds": False,
            },
            {
                "kind": "workboard",
                "value": "open",
                "path": "board.md",
                "line": 7,
                "column": 1,
                "text": "- TASK-1: open",
                "at": None,
                "until": None,
                "scope": "",
                "holds": False,
            },
        ],
    }


def test_a_declaration_without_a_text_has_an_empty_one() -> None:
    (item,) = json.loads(render_items_json([ITEM._replace(declaration_texts=())], INPUTS))["items"]
    assert [declaration["text"] for declaration in item["declarations"]] == ["", ""]


# ------------------------------------------------------------------ graph

VIEW = GraphView(
    (NodeView("A", "task", "first", "a.md", 1, "open"), NodeView("B", "task", "B", "b.md", 2, "")),
    (EdgeView("A", "B", "blocked_by", "a.md", 4), EdgeView("B", "C", "", "b.md", 5)),
)


def test_a_graph_as_dot() -> None:
    assert render_dot(VIEW) == (
        "digraph cortex_policy {\n"
        "  rankdir=LR;\n"
        "  node [shape=box];\n"
        '  "A" [label="A\\nfirst\\ntask (open)", tooltip="a.md:1"];\n'
        '  "B" [label="B\\ntask", tooltip="b.md:2"];\n'
        '  "C" [label="C\\n(missing)", tooltip="b.md:5", style=dashed];\n'
        '  "A" -> "B" [label="blocked_by"];\n'
        '  "B" -> "C" [label=""];\n'
        "}\n"
    )


def test_a_dot_label_is_taken_as_it_is_written() -> None:
    view = GraphView((NodeView('&lt;"\\N', "task", "", "a&b.md", 1, ""),), ())
    assert render_dot(view).splitlines()[3] == (
        r'  "&lt;\"\\N" [label="&amp;lt;\"\\N\ntask", tooltip="a&amp;b.md:1"];'
    )


def test_a_graph_as_mermaid() -> None:
    assert render_mermaid(VIEW) == (
        "flowchart LR\n"
        '  n0["A<br/>first<br/>task (open)"]\n'
        '  n1["B<br/>task"]\n'
        '  n2["C<br/>(missing)"]\n'
        '  n0 -->|"blocked_by"| n1\n'
        "  n1 --> n2\n"
        "  classDef missing stroke-dasharray: 5 5\n"
        "  class n2 missing\n"
    )


def test_a_graph_as_json() -> None:
    value = json.loads(render_json(VIEW))
    assert list(value) == ["schema_version", "nodes", "edges"]
    assert value["nodes"][0] == VIEW.nodes[0]._asdict()
    assert value["edges"][1] == VIEW.edges[1]._asdict()


@pytest.mark.parametrize("name", FORMATS)
def test_an_empty_graph_is_still_a_graph(name: str) -> None:
    assert len(FORMATS[name](GraphView((), ())).splitlines()) > 0


QUOTED = r'"(?:[^"\\]|\\.)*"'
DOT_LINE = re.compile(
    rf"  {QUOTED} \[label={QUOTED}, tooltip={QUOTED}(, style=dashed)?\];"
    rf"|  {QUOTED} -> {QUOTED} \[label={QUOTED}\];"
)
MERMAID_TEXT = r'"(?:[^"<>`%{}\[\]|#&]|#\d+;|<br/>)*"'
MERMAID_LINE = re.compile(
    rf"  n\d+\[{MERMAID_TEXT}\]|  n\d+ -->(?:\|{MERMAID_TEXT}\|)? n\d+"
    r"|  classDef missing .*|  class [n\d,]+ missing"
)


def hostile_graph(text: str) -> GraphView:
    node = NodeView(text, text, f"{text}!", text, 1, text)
    return GraphView(
        (node,), (EdgeView(text, text, text, text, 1), EdgeView(text, f"{text}?", text, text, 1))
    )


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_no_vector_leaves_its_label(text: str) -> None:
    check_graph(text)


@given(ANY_TEXT)
def test_no_text_leaves_its_label(text: str) -> None:
    check_graph(text)


def check_graph(text: str) -> None:
    view = hostile_graph(text)
    dot, mermaid = render_dot(view), render_mermaid(view)
    for written in (dot, mermaid, render_json(view)):
        assert raw_hidden(written) == set()
        written.encode("utf-8")
    assert all(DOT_LINE.fullmatch(line) for line in dot.split("\n")[3:-2])
    assert all(MERMAID_LINE.fullmatch(line) for line in mermaid.split("\n")[1:-1])
    json.loads(render_json(view))


@given(ANY_TEXT, ANY_TEXT)
def test_no_text_gets_through_the_other_pages(one: str, two: str) -> None:
    claim = ClaimView(one, {"k": [two]}, Place(one, 1, 1), two)
    fields = (FieldView(one, two, "stated", (claim, claim)), FieldView(two, None, "conflict", (claim,)))
    item = ItemView(one, two, (Place(two, 1, 1),), fields, (one,))
    page = RulePage(BLOCKERS, for_=one, when=two, require=((one, two),), examples=((one, two),))
    for written in (
        render_items([item], style=PLAIN),
        render_items_json([item], INPUTS),
        render_rule(page, style=Style(width=40)),
        render_rules_json([page]),
    ):
        assert raw_hidden(written) == set()
        written.encode("utf-8")
        assert not [line for line in written.split("\n") if line.lstrip().startswith("::")]
