"""The doctor's findings as text for a terminal."""

from codette_desktop.doctor.diagnosis import Diagnosis


def as_text(found: Diagnosis) -> str:
    """A page for a person: what is there, then what is wrong and how to mend it."""
    machine = found.machine
    lines = [
        f"Codette Desktop {found.version} · Python {found.python} · {machine.system}",
        "",
        f"Processor   {machine.processor.name}: {machine.processor.physical_cores} cores "
        f"({', '.join(machine.processor.features) or 'instruction sets unknown'})",
        f"Memory      {_size(machine.memory_available_bytes)} free of {_size(machine.memory_bytes)}",
        f"Disk        {_size(machine.disk_free_bytes)} free",
    ]
    lines += [
        f"Graphics    {gpu.name}: {_size(gpu.memory_free_bytes)} free of {_size(gpu.memory_bytes)}, driver {gpu.driver}"
        for gpu in machine.gpus
    ] or ["Graphics    none that the NVIDIA driver knows"]
    if found.engine:
        lines.append(f"Engine      {found.engine['build']} on {found.engine['gpu'] or 'CPU'}")
    lines.append(f"Data        {found.data_dir}")
    if found.database:
        lines.append(
            f"Database    {_size(found.database['bytes'])}, {found.database['conversations']} conversations, "
            f"integrity {', '.join(found.database['integrity'])}"
        )
    if found.audit:
        state = "as they were written" if found.audit["whole"] else "NOT as they were written"
        entries = found.audit["entries"]
        lines.append(f"Votes       {f'{entries:,} audit entries, {state}' if entries else 'none yet'}")
    if found.configuration:
        count = len(found.configuration["problems"])
        state = f"{count} {'mistake' if count == 1 else 'mistakes'}" if count else "nothing wrong"
        state = state if found.configuration["exists"] else "none, and none is needed"
        lines.append(f"Config      {found.configuration['path']}: {state}")
    lines += ["", "Packages"]
    lines += [f"  {name:22} {version or 'missing'}" for name, version in found.packages.items()]
    lines += ["", "Models"]
    lines += [f"  {model['label']:28} {_size(model['bytes']):>10}  {model['path']}" for model in found.models]
    lines.append("")
    lines += [f"Note  {note}" for note in found.notes]
    if not found.findings:
        lines.append("Nothing is wrong.")
    for finding in found.findings:
        lines += [f"{'WRONG' if finding.blocking else 'Note '} {finding.what}", f"      {finding.mend}"]
    return "\n".join(lines)


def _size(count: float | None) -> str:
    if count is None:
        return "n/a"
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= size:
            return f"{count / size:,.1f} {unit}"
    return f"{count:,.0f} bytes"
