"""A grid or a sweep as pages that need no network: scores, figures, a page for every cell."""

from analysis.report.sweep import write_sweep_report
from analysis.report.write import ReportOptions, write_report

__all__ = ["ReportOptions", "write_report", "write_sweep_report"]
