"""Linux's files about graphics devices, as the drivers' documentation shows them, below a folder of a test.

The figures are those such devices show; no such device was at hand.
"""

from pathlib import Path

AMD_LIST = "# List of AMDGPU IDs\n744C,\tC4,\tAMD Radeon RX 7900 XT\n744C,\tC8,\tAMD Radeon RX 7900 XTX\n"
PCI_LIST = (
    "# vendors\n1002  Advanced Micro Devices, Inc. [AMD/ATI]\n\t744c  Navi 31 [Radeon RX 7900 XT/7900 XTX]\n"
    "\t\t1002 0e3b  Radeon RX 7900 GRE\n\t1900  Phoenix3\n8086  Intel Corporation\n\t56a0  DG2 [Arc A770]\n"
    "\te20b  Battlemage G21 [Arc B580]\n10de  NVIDIA Corporation\n\t2684  AD102 [GeForce RTX 4090]\n"
)
GIB = 1 << 30


def write(root: Path, **files: str) -> None:
    """Write files; their names below `root`."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")


def card(root: Path, number: int, vendor: str, device: str, slot: str, driver: str, **files: str) -> Path:
    """A graphics device with more of its files, named from its own folder; returns /sys/class/drm/cardN."""
    folder = root / f"sys/class/drm/card{number}"
    own = {
        "vendor": f"{vendor}\n",
        "device": f"{device}\n",
        "uevent": f"DRIVER={driver}\nPCI_CLASS=30000\nPCI_SLOT_NAME={slot}\n",
        "power/runtime_status": "active\n",
    }
    write(folder / "device", **own)
    write(folder, **files)
    write(root / f"sys/class/drm/card{number}-DP-1", status="connected\n")  # a socket, not a device
    return folder


def lists(root: Path) -> None:
    """The lists of names that distributions carry."""
    write(root / "usr/share", **{"libdrm/amdgpu.ids": AMD_LIST, "misc/pci.ids": PCI_LIST})


def radeon_7900(root: Path, number: int = 0) -> Path:
    """A Radeon RX 7900 XTX at work."""
    hwmon = "device/hwmon/hwmon4"
    files = {
        "device/revision": "0xc8\n",
        "device/unique_id": "f4c1a6d2e8b03957\n",
        "device/gpu_busy_percent": "88\n",
        "device/mem_busy_percent": "40\n",
        "device/mem_info_vram_total": f"{24 * GIB}\n",
        "device/mem_info_vram_used": f"{11 * GIB}\n",
        "device/mem_info_gtt_total": f"{16 * GIB}\n",
        "device/mem_info_gtt_used": f"{GIB}\n",
        "device/pp_dpm_sclk": "0: 500Mhz \n1: 2371Mhz *\n2: 2526Mhz \n",
        "device/pp_dpm_mclk": "0: 96Mhz \n1: 456Mhz \n2: 1249Mhz *\n",
        f"{hwmon}/name": "amdgpu\n",
        f"{hwmon}/power1_average": "303000000\n",
        f"{hwmon}/power1_cap": "339000000\n",
        f"{hwmon}/temp1_input": "62000\n",
        f"{hwmon}/temp1_label": "edge\n",
        f"{hwmon}/temp2_input": "81000\n",
        f"{hwmon}/temp2_label": "junction\n",
        f"{hwmon}/temp3_input": "84000\n",
        f"{hwmon}/temp3_label": "mem\n",
        f"{hwmon}/fan1_input": "1320\n",
        f"{hwmon}/fan1_max": "3300\n",
    }
    return card(root, number, "0x1002", "0x744c", "0000:03:00.0", "amdgpu", **files)


def radeon_in_processor(root: Path, number: int = 1) -> Path:
    """Graphics inside a processor: no fan, no limit, no memory of its own; newer names for power and clock."""
    hwmon = "device/hwmon/hwmon5"
    files = {
        "device/gpu_busy_percent": "3\n",
        "device/mem_info_vram_total": f"{GIB // 2}\n",
        "device/mem_info_vram_used": f"{GIB // 4}\n",
        "device/mem_info_gtt_total": f"{15 * GIB}\n",
        "device/mem_info_gtt_used": f"{2 * GIB}\n",
        f"{hwmon}/temp1_input": "44000\n",
        f"{hwmon}/power1_input": "9107000\n",
        f"{hwmon}/freq1_input": "800000000\n",
    }
    return card(root, number, "0x1002", "0x1900", "0000:c1:00.0", "amdgpu", **files)


def arc_i915(root: Path, number: int = 0) -> Path:
    """An Arc A770 with the older driver."""
    hwmon = "device/hwmon/hwmon3"
    files = {
        "gt_cur_freq_mhz": "2400\n",
        "gt/gt0/throttle_reason_status": "1\n",
        "gt/gt0/throttle_reason_pl1": "1\n",
        "gt/gt0/throttle_reason_pl2": "0\n",
        "gt/gt0/throttle_reason_thermal": "0\n",
        f"{hwmon}/name": "i915\n",
        f"{hwmon}/energy1_input": "500000000\n",
        f"{hwmon}/power1_max": "190000000\n",
        f"{hwmon}/temp1_input": "66000\n",
    }
    return card(root, number, "0x8086", "0x56a0", "0000:03:00.0", "i915", **files)


def arc_xe(root: Path, number: int = 0) -> Path:
    """An Arc B580 with the newer driver; the burst limit alone is switched on."""
    hwmon, gt = "device/hwmon/hwmon3", "device/tile0/gt0/freq0"
    files = {
        f"{gt}/cur_freq": "2850\n",
        f"{gt}/throttle/status": "0\n",
        f"{gt}/throttle/reason_pl1": "0\n",
        f"{hwmon}/name": "xe\n",
        f"{hwmon}/energy1_input": "900000000\n",
        f"{hwmon}/energy1_label": "card\n",
        f"{hwmon}/energy2_input": "700000000\n",
        f"{hwmon}/energy2_label": "pkg\n",
        f"{hwmon}/power1_max": "0\n",
        f"{hwmon}/power1_cap": "190000000\n",
        f"{hwmon}/temp2_input": "58000\n",
        f"{hwmon}/temp2_label": "pkg\n",
        f"{hwmon}/temp3_input": "72000\n",
        f"{hwmon}/temp3_label": "vram\n",
    }
    return card(root, number, "0x8086", "0xe20b", "0000:04:00.0", "xe", **files)


def program(root: Path, pid: int, name: str, **clients: str) -> None:
    """A running program; `clients` are what fdinfo says of its open graphics devices, named by descriptor."""
    proc = root / f"proc/{pid}"
    write(proc, comm=f"{name}\n")
    (proc / "fd").mkdir(exist_ok=True)
    files = {"0": "", "9": "drm-driver: not a graphics device, for it is not open as one\n", **clients}
    for number, content in files.items():
        write(proc / "fdinfo", **{number: f"pos:\t0\nflags:\t02100002\nmnt_id:\t26\n{content}"})
        link = proc / "fd" / number
        link.unlink(missing_ok=True)
        link.symlink_to("/dev/dri/renderD128" if number in clients else "/dev/null")


def amdgpu_client(number: int, vram_kib: int, slot: str = "0000:03:00.0") -> str:
    """A client as amdgpu tells it."""
    return (
        f"drm-driver:\tamdgpu\ndrm-client-id:\t{number}\ndrm-pdev:\t{slot}\npasid:\t32770\n"
        f"drm-total-vram:\t{vram_kib + 900} KiB\ndrm-memory-vram:\t{vram_kib} KiB\ndrm-memory-gtt: \t2048 KiB\n"
        "drm-engine-gfx:\t123456789 ns\n"
    )


def i915_client(number: int, render_ns: int, video_ns: int = 0, local_mib: int | None = 300) -> str:
    """A client as i915 tells it; without memory of its own where `local_mib` is None."""
    region = "system0" if local_mib is None else "local0"
    return (
        f"drm-driver:\ti915\ndrm-pdev:\t0000:03:00.0\ndrm-client-id:\t{number}\n"
        f"drm-total-{region}:\t900 MiB\ndrm-resident-{region}:\t{local_mib or 70} MiB\n"
        f"drm-engine-render:\t{render_ns} ns\ndrm-engine-copy:\t0 ns\n"
        f"drm-engine-video:\t{video_ns} ns\ndrm-engine-capacity-video:\t2\n"
    )


def xe_client(number: int, cycles: int, passed: int) -> str:
    """A client as xe tells it."""
    return (
        f"drm-driver:\txe\ndrm-pdev:\t0000:04:00.0\ndrm-client-id:\t{number}\n"
        "drm-total-vram0:\t2 GiB\ndrm-resident-vram0:\t1 GiB\ndrm-total-gtt:\t5 MiB\n"
        f"drm-cycles-rcs:\t0\ndrm-total-cycles-rcs:\t{passed}\n"
        f"drm-cycles-ccs:\t{cycles}\ndrm-total-cycles-ccs:\t{passed}\n"
    )
