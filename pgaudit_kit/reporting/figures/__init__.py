"""Facts → figures. Each function takes one of the package's frames (or the same columns as mappings) and gives a `Chart`.

None of them reads a source or judges: what they draw is what the frame says. An unknown number has no bar and is said
to be unknown; of many tables the ones that matter most are drawn, and the others counted.
"""

from pgaudit_kit.reporting.figures.key_graph import key_graph
from pgaudit_kit.reporting.figures.migrations_timeline import migrations_timeline
from pgaudit_kit.reporting.figures.over_time import backup_history, lost_over_time
from pgaudit_kit.reporting.figures.per_table import (
    compared_per_check,
    lost_per_table,
    objects_held,
    objects_per_kind,
    rows_per_table,
    seconds_per_step,
    size_per_table,
    status_per_table,
)

__all__ = [
    "backup_history",
    "compared_per_check",
    "key_graph",
    "lost_over_time",
    "lost_per_table",
    "migrations_timeline",
    "objects_held",
    "objects_per_kind",
    "rows_per_table",
    "seconds_per_step",
    "size_per_table",
    "status_per_table",
]
