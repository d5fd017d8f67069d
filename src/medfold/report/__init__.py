"""The report: one HTML page about a run, or about several runs combined."""

from medfold.report.build import build_page
from medfold.report.page import render

__all__ = ["build_page", "render"]
