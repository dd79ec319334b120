"""What the doctor says of one thing."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong. `blocking` findings keep models from answering."""

    what: str
    mend: str
    blocking: bool = False
