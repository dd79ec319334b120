"""The audit trail of votes: what the doctor says when it is not as it was written."""

from typing import Any

from codette_desktop.doctor.finding import Finding
from codette_desktop.store import Store
from codette_desktop.store.audit_check import Fault

_TOLD = 5  # findings; 'votes verify' tells the rest

_COPY = (
    "If you put back an older copy of the database, run 'codette-desktop votes verify --accept'. If not, somebody cut "
    "votes off: restore the newest copy from the folder 'backups'."
)
_HAND = (
    "Another program wrote into the database. Compare with a copy from the folder 'backups' before you trust ratings."
)
_FILES = (
    "Put the folder 'audit' back from a copy of the data folder. Without one, votes stay, and what was sealed before "
    "can no longer be checked."
)
_MEND = {
    Fault.CUT: _COPY,
    Fault.REPLACED: _COPY,
    Fault.HEAD_MISSING: _FILES + " Then run 'codette-desktop votes verify --accept'.",
    Fault.HEAD_DAMAGED: _FILES + " Then run 'codette-desktop votes verify --accept'.",
    Fault.KEY_MISSING: _FILES,
    Fault.KEY_DAMAGED: _FILES,
    Fault.OTHER_KEY: _FILES,
    Fault.UNSEALED: "The disk was full or could not be written then. The vote counts; it cannot be proved untouched.",
}


def check_audit(store: Store) -> tuple[dict[str, Any], list[Finding]]:
    """The trail in figures, and what is wrong with it; raises StoreError."""
    report = store.audit.verify()
    fields = {
        "entries": report.entries,
        "whole": report.whole,
        "first_broken": report.first_broken,
        "problems": [item.what for item in report.problems],
    }
    findings = [Finding(item.what, _MEND.get(item.fault, _HAND)) for item in report.problems[:_TOLD]]
    more = len(report.problems) - _TOLD
    if more > 0:
        what = f"{more} more things are wrong with the audit trail of votes."
        findings.append(Finding(what, "See 'codette-desktop votes verify'."))
    return fields, findings
