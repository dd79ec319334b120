"""The names of graphics devices, from the lists that Linux distributions carry."""

import functools
import logging
import re
from collections.abc import Iterator
from pathlib import Path

log = logging.getLogger(__name__)

_AMD_LIST = "usr/share/libdrm/amdgpu.ids"
_PCI_LISTS = ("usr/share/misc/pci.ids", "usr/share/hwdata/pci.ids")
_MAKERS = {0x1002: "AMD", 0x8086: "Intel"}


@functools.lru_cache(maxsize=64)
def device_name(root: Path, vendor_id: int, device_id: int, revision: int | None = None) -> str:
    """Such as "AMD Radeon RX 7900 XTX"; "AMD graphics 744c" where no list knows it."""
    maker = _MAKERS.get(vendor_id, f"{vendor_id:04x}")
    if revision is not None and (name := _amd_name(root / _AMD_LIST, device_id, revision)):
        return name
    for place in _PCI_LISTS:
        if name := _pci_name(root / place, vendor_id, device_id):
            return f"{maker} {name}"
    return f"{maker} graphics {device_id:04x}"


def _lines(path: Path) -> Iterator[str]:
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            yield from file
    except OSError as error:
        log.debug("no list of devices: %s", error)


def _amd_name(path: Path, device_id: int, revision: int) -> str:
    """Lines like "744C,	C8,	AMD Radeon RX 7900 XTX"."""
    for line in _lines(path):
        device, _, rest = line.partition(",")
        found, _, name = rest.partition(",")
        if (device.strip().lower(), found.strip().lower()) == (f"{device_id:x}", f"{revision:x}"):
            return name.strip()
    return ""


def _pci_name(path: Path, vendor_id: int, device_id: int) -> str:
    """A vendor begins a line with its number, its devices follow after a tab; the trade name is in brackets."""
    within = False
    for line in _lines(path):
        if line[:1] not in {"\t", "#", "\n"}:
            if within:
                return ""
            within = line.lower().startswith(f"{vendor_id:04x} ")
        elif within and line.lower().startswith(f"\t{device_id:04x} "):
            name = line.strip()[4:].strip()
            trade = re.search(r"\[(.+)]", name)
            return trade[1] if trade else name
    return ""
