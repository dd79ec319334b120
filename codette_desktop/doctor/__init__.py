"""The doctor: what was found on this computer, what is wrong, and how to mend it."""

from codette_desktop.doctor.diagnosis import Diagnosis, diagnose
from codette_desktop.doctor.finding import Finding
from codette_desktop.doctor.report import as_text

__all__ = ["Diagnosis", "Finding", "as_text", "diagnose"]
