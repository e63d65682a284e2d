"""Do owners and privileges match?"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from pgaudit_kit.records.difference import ObjectDifference
from pgaudit_kit.records.inventory import Inventory
from pgaudit_kit.records.objects import DATABASE
from pgaudit_kit.records.units import many
from pgaudit_kit.records.verdict import Check, Outcome

ATTRIBUTES = ("owner", "acl")
_NAMED = 5


def check_privileges(
    left: Inventory, right: Inventory, differences: Sequence[ObjectDifference], *, ignore: Collection[str]
) -> Check | None:
    """`privileges.match`: of the *differences* none is one of owner or privileges; None when neither side may be asked for them."""
    asked = [a for a in ATTRIBUTES if a not in {*ignore, *left.not_told, *right.not_told}]
    if not asked:
        return None
    both = [o for o in left.objects if o.key in right.by_key and any(o.attributes.get(a) for a in asked)]
    changed = [(d.key, c) for d in differences if d.key.kind != DATABASE for c in d.changes if c.attribute.split(" ")[-1] in asked]
    told = [f"{key} ({c.attribute}): {c.left or 'none'} → {c.right or 'none'}" for key, c in changed if c]
    more = f"; and {len(told) - _NAMED} more" if len(told) > _NAMED else ""
    return Check(
        id="privileges.match",
        question="Do owners and privileges match?",
        outcome=Outcome.FAILED if changed else Outcome.PASSED,
        expected=f"{' and '.join({'owner': 'owners', 'acl': 'privileges'}[a] for a in asked)} of {many(len(both), 'object')}, all the same",
        found="; ".join(told[:_NAMED]) + more if told else "all the same" if both else "nothing has any on both sides",
        compared=max(len(both), len(changed)),
        remedy="GRANT, REVOKE or ALTER … OWNER as the evidence says." if changed else "",
        evidence=tuple({"object": str(key), "attribute": c.attribute, "left": c.left, "right": c.right} for key, c in changed),
    )
