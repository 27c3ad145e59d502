# Copyright (c) 2026 the ppstyleclip authors. Apache-2.0 licence, see LICENSE.
"""Whether a published model is whole and draws what it should, with numbers for a report."""

from ppstyleclip.verify.checks import Finding, Verified, verify_model
from ppstyleclip.verify.report import report_json, report_text

__all__ = ["Finding", "Verified", "report_json", "report_text", "verify_model"]
