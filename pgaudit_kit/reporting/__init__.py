"""SHOW: figures, notebook execution, HTML reports.

Light to import: matplotlib, papermill and nbconvert are loaded when something is drawn or run.
"""

from pgaudit_kit.reporting.chart import Chart
from pgaudit_kit.reporting.conclusion import Conclusion, conclude, show
from pgaudit_kit.reporting.notebooks import ReportResult, run_report
from pgaudit_kit.reporting.parameters import check_given, report_names
from pgaudit_kit.reporting.refusals import showing_refusals
from pgaudit_kit.reporting.script_preview import ScriptPreview, preview

__all__ = [
    "Chart",
    "Conclusion",
    "ReportResult",
    "ScriptPreview",
    "check_given",
    "conclude",
    "preview",
    "report_names",
    "run_report",
    "show",
    "showing_refusals",
]
