"""Are the objects the same?"""

from __future__ import annotations

from collections.abc import Sequence

from pgaudit_kit.records.difference import ObjectDifference
from pgaudit_kit.records.objects import Unmodelled
from pgaudit_kit.records.units import many
from pgaudit_kit.records.verdict import Check, Outcome

NAMED = 5
# Whose URL names the wrong database, an empty one, must not be told that all is well
_NOTHING = "Nothing is in it, so there is nothing to prove: look whether it is the database that you meant."


def check_objects_match(differences: Sequence[ObjectDifference], *, compared: int, unmodelled: Sequence[Unmodelled] = ()) -> Check:
    """`objects.match`: no object is missing, extra or changed; `equivalent` ones pass. Unmodelled ones are named, not judged."""
    wrong = [d for d in differences if d.status != "equivalent"]
    aside = f"; {len(unmodelled)} of kinds not modelled were not compared" if unmodelled else ""
    return Check(
        id="objects.match",
        question="Are all objects there and defined the same?",
        outcome=Outcome.FAILED if wrong else Outcome.PASSED,
        expected=f"{many(compared, 'object')}, all the same",
        found=(_name(wrong) if wrong else "all the same" if compared else "no object on either side") + aside,
        compared=compared,
        remedy="Look at each object named; do not swap this database in." if wrong else "" if compared else _NOTHING,
        evidence=tuple(
            {"object": str(d.key), "status": d.status, "attribute": c.attribute if c else "", "left": c and c.left, "right": c and c.right}
            for d in wrong
            for c in (d.changes or (None,))
        ),
    )


def _name(differences: Sequence[ObjectDifference]) -> str:
    words = {"only_left": "missing", "only_right": "unexpected", "changed": "changed"}
    named = [f"{words[d.status]} {d.key}" + "".join(f" ({c.attribute})" for c in d.changes[:2]) for d in differences[:NAMED]]
    more = f" and {len(differences) - NAMED} more" if len(differences) > NAMED else ""
    return "; ".join(named) + more
