"""Which tables point at which, and what of that is damaged: parents on top, each key a line from a table up to the one it points at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from pgaudit_kit.records.table_data import TableName
from pgaudit_kit.records.units import many
from pgaudit_kit.reporting.chart import Chart
from pgaudit_kit.reporting.figures.words import Frame, Record, look_at, or_0, records_of, table_name, whole
from pgaudit_kit.reporting.key_lines import KeyLine, TableLine, key_lines

if TYPE_CHECKING:
    from networkx import DiGraph

SHOWN: Final = 30


def key_graph(keys: Frame, summary: Frame = ()) -> Chart:
    """The foreign keys of two sources and what of them is damaged. *keys* and *summary* are `foreign_keys` and `summary` of a Difference.

    Of many tables those are drawn that lost rows or whose keys are broken, and their neighbours.
    """
    records = records_of(keys)
    losses = {table_name(r): r for r in records_of(summary)}
    graph = _graph(records)
    broken = {name for r in records if _is_broken(r) for name in (_child(r), _parent(r))}
    hurt = {name for name in graph if name in losses and _hurt(losses[name])} | broken
    drawn = _drawn(graph, hurt)
    order = [name for name in _parents_first(graph) if name in drawn]
    lines = [TableLine(name, _said(losses.get(name), name, records), damaged=name in hurt) for name in order]
    between = [
        KeyLine(order.index(_child(r)), order.index(_parent(r)), broken=_is_broken(r))
        for r in records
        if _child(r) in drawn and _parent(r) in drawn
    ]
    return Chart(key_lines(lines, between), "Tables and their foreign keys", _sentence(records, graph, hurt, drawn))


def _graph(records: Sequence[Record]) -> DiGraph[str]:
    """From each parent to its children."""
    from networkx import DiGraph

    graph: DiGraph[str] = DiGraph()
    graph.add_edges_from((_parent(r), _child(r)) for r in records)
    return graph


def _child(record: Record) -> str:
    return str(TableName(str(record.get("schema")), str(record.get("table"))))


def _parent(record: Record) -> str:
    return str(record.get("parent"))


def _is_broken(record: Record) -> bool:
    """Rows point at nothing by it, or it is gone. One that was never enforced and holds all the same is not."""
    return or_0(whole(record.get("rows"))) > 0 or record.get("state") == "dropped"


def _hurt(loss: Record) -> bool:
    return any(or_0(whole(loss.get(column))) > 0 for column in ("missing", "changed", "dangling", "dangling_to"))


def _drawn(graph: DiGraph[str], hurt: set[str]) -> set[str]:
    """All tables when they are few; else the damaged ones, then their neighbours, as many as there is room for."""
    if len(graph) <= SHOWN:
        return set(graph)
    near = {n for name in hurt & set(graph) for n in (*graph.predecessors(name), *graph.successors(name))}
    by_degree = sorted(graph, key=lambda n: (n not in hurt, n not in near, -graph.degree(n), n))
    return set(by_degree[:SHOWN])


def _parents_first(graph: DiGraph[str]) -> Iterable[str]:
    """Tables after those they point at, layer by layer; those of a circle stand one behind the other."""
    from networkx import condensation, topological_generations

    circles = condensation(graph)
    for layer in topological_generations(circles):
        yield from sorted(name for circle in layer for name in circles.nodes[circle]["members"])


def _said(loss: Record | None, name: str, records: Sequence[Record]) -> str:
    """What is wrong with a table, in words."""
    counts: Mapping[str, int] = {w: or_0(whole(loss.get(w))) for w in ("missing", "changed", "extra")} if loss else {}
    said = [f"{count:,} {word}" for word, count in counts.items() if count]
    for record in records:
        if _child(record) != name:
            continue
        rows = whole(record.get("rows"))
        if rows is None:
            said.append(f"not known whether {record.get('key')} holds")
        elif rows:
            said.append(f"{rows:,} point at nothing in {_parent(record)}")
        if record.get("state") in ("dropped", "not valid"):
            said.append(f"{record.get('key')} {record.get('state')}")
    return ", ".join(said)


def _sentence(records: Sequence[Record], graph: DiGraph[str], hurt: set[str], drawn: set[str]) -> str:
    if not records:
        return "No foreign key is on either side."
    broken = [r for r in records if _is_broken(r)]
    unknown = sum(whole(r.get("rows")) is None for r in records)
    said = f"{many(len(records), 'foreign key')} between {many(len(graph), 'table')}: "
    said += f"{many(len(broken), 'key')} broken or dropped" if broken else "none is broken or dropped"
    said += f", of {many(unknown, 'key')} it is not known." if unknown else "."
    left_out = f" {len(drawn)} tables are drawn, the damaged ones and those beside them first." if len(drawn) < len(graph) else ""
    damaged = sorted(hurt & set(graph))
    return f"{said}{left_out}{look_at(damaged)}"
