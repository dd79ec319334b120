"""Reading what Linux shows as files. A file that is missing, forbidden, empty or garbled is a value not known."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_CARD = re.compile(r"card\d+")
_ASLEEP = {"suspended", "suspending"}


def text(path: Path) -> str | None:
    """What the file says, or None for nothing."""
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return file.read().strip() or None
    except (OSError, ValueError):
        return None


def number(path: Path, scale: float = 1.0) -> float | None:
    """The number the file holds, times `scale`; None if it holds anything else, a unit too."""
    found = text(path)
    try:
        value = float(found) if found is not None else math.nan
    except ValueError:
        return None
    return value * scale if math.isfinite(value) else None


def whole(path: Path) -> int | None:
    """As `number`, for counts and bytes; None below zero."""
    value = number(path)
    return None if value is None or value < 0 else int(value)


def hexadecimal(path: Path) -> int | None:
    """A number such as 0x1002."""
    try:
        return int(text(path) or "", 16)
    except ValueError:
        return None


def folders(parent: Path, pattern: str) -> list[Path]:
    """Those whose name fits, hwmon2 before hwmon10."""
    try:
        return sorted(parent.glob(pattern), key=lambda path: (len(path.name), path.name))
    except OSError:
        return []


def labelled(hwmon: Path, kind: str, *labels: str) -> Path | None:
    """The input of the first label that is there ("temp2_input" for "edge"), else the first input of the kind."""
    inputs = [path for path in folders(hwmon, f"{kind}*_input") if path.name[len(kind) : -len("_input")].isdigit()]
    by_label = {text(path.with_name(path.name.replace("_input", "_label"))): path for path in reversed(inputs)}
    return next((by_label[label] for label in labels if label in by_label), inputs[0] if inputs else None)


@dataclass(frozen=True, slots=True)
class Card:
    """A graphics device. `slot` is its PCI address ("0000:03:00.0"), which stays when its number as a card changes."""

    folder: Path
    slot: str
    vendor_id: int
    device_id: int
    driver: str

    @property
    def device(self) -> Path:
        """Where the device's own files are."""
        return self.folder / "device"

    @property
    def present(self) -> bool:
        """Whether it is still plugged in."""
        return hexadecimal(self.device / "vendor") == self.vendor_id

    @property
    def asleep(self) -> bool:
        """Whether it is switched off to save power, as a laptop's second card: reading its values would wake it."""
        return text(self.device / "power" / "runtime_status") in _ASLEEP

    @property
    def hwmon(self) -> Path | None:
        """Where its temperatures, powers and fans are."""
        return next(iter(folders(self.device / "hwmon", "hwmon*")), None)


def cards(root: Path, vendor_id: int) -> Iterator[Card]:
    """The graphics devices of a vendor in Linux's order."""
    for folder in folders(root / "sys/class/drm", "card*"):
        if not _CARD.fullmatch(folder.name) or hexadecimal(folder / "device" / "vendor") != vendor_id:
            continue
        lines = (text(folder / "device" / "uevent") or "").splitlines()
        event = {key: value for key, _, value in (line.partition("=") for line in lines)}
        yield Card(
            folder=folder,
            slot=event.get("PCI_SLOT_NAME") or folder.name,
            vendor_id=vendor_id,
            device_id=hexadecimal(folder / "device" / "device") or 0,
            driver=event.get("DRIVER", ""),
        )
