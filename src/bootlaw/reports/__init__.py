"""Reports: the answer in words, the figures and the tables of a study, as one HTML page."""

from __future__ import annotations

from bootlaw.reports.page import publish, write_report

__all__ = ["publish", "write_report"]
