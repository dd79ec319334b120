"""Looks at packages, machine, engine, database and models, and says what is wrong with each."""

import importlib.metadata
import platform
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from codette_desktop import __version__
from codette_desktop.application import Application
from codette_desktop.doctor.finding import Finding
from codette_desktop.doctor.trail import check_audit
from codette_desktop.domain.errors import CodetteError
from codette_desktop.hardware.machine import Machine, inspect
from codette_desktop.inference.llama.library import library as load_engine

PACKAGES = (
    "PySide6-Essentials", "pyqtgraph", "qasync", "llama-cpp-python", "ollama", "nvidia-ml-py", "psutil", "sqlite-utils",
    "numpy", "jinja2", "click",
)  # fmt: skip
LITTLE_DISK_BYTES = 1 << 30
LITTLE_MEMORY_BYTES = 1 << 30


@dataclass(slots=True)
class Diagnosis:
    """Everything the doctor saw, ready for JSON through `to_dict`. `notes` is what happened since the last start."""

    version: str
    python: str
    machine: Machine
    packages: dict[str, str | None]
    data_dir: str
    engine: dict[str, Any] = field(default_factory=dict[str, Any])
    configuration: dict[str, Any] = field(default_factory=dict[str, Any])
    database: dict[str, Any] = field(default_factory=dict[str, Any])
    audit: dict[str, Any] = field(default_factory=dict[str, Any])
    models: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    findings: list[Finding] = field(default_factory=list[Finding])
    notes: list[str] = field(default_factory=list[str])

    @property
    def healthy(self) -> bool:
        """Whether nothing keeps models from answering."""
        return not any(finding.blocking for finding in self.findings)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {"healthy": self.healthy, **asdict(self)}


def diagnose(data_dir: Path) -> Diagnosis:
    """Look at everything; an error becomes a finding, never an exception."""
    found = Diagnosis(
        version=__version__,
        python=platform.python_version(),
        machine=inspect(data_dir),
        packages={name: _version(name) for name in PACKAGES},
        data_dir=str(data_dir),
    )
    _check_packages(found)
    _check_machine(found)
    _check_engine(found)
    _check_data(found, data_dir)
    return found


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _check_packages(found: Diagnosis) -> None:
    found.findings += [
        Finding(
            f"The package {name} is missing.", f"Install it: pip install {name}", blocking=name == "llama-cpp-python"
        )
        for name, version in found.packages.items()
        if version is None
    ]
    qt = found.packages.get("PySide6-Essentials") or ""
    old_python = tuple(int(part) for part in found.python.split(".")[:2]) < (3, 12)
    if qt.startswith("6.12") and old_python:
        found.findings.append(
            Finding(
                f"PySide6 {qt} crashes on Python {found.python}.",
                "pip install 'PySide6-Essentials<6.12'",
                blocking=True,
            )
        )


def _check_machine(found: Diagnosis) -> None:
    disk = found.machine.disk_free_bytes
    if disk is not None and disk < LITTLE_DISK_BYTES:
        found.findings.append(
            Finding(
                f"Only {disk / 1e9:.2f} GB are free on the disk of the data folder.",
                "Free some space, or choose another folder with --data-dir.",
            )
        )
    if found.machine.memory_available_bytes < LITTLE_MEMORY_BYTES:
        found.findings.append(
            Finding(
                f"Only {found.machine.memory_available_bytes / 1e9:.2f} GB of memory are free.",
                "Close other programs before you load a bigger model.",
            )
        )


def _check_engine(found: Diagnosis) -> None:
    try:
        engine = load_engine()
    except CodetteError as error:
        found.findings.append(Finding(error.message, error.hint, blocking=True))
        return
    found.engine = {
        "build": engine.build,
        "system": engine.system_info.strip(),
        "gpu": engine.gpu,
        "extra_buffers": engine.extra_buffers,
    }
    features = found.machine.processor.features
    if "AMX" in engine.system_info:
        found.findings.append(
            Finding(
                "The engine was built for AMX, which crashes on some processors; its kernels are switched off.",
                "For full speed rebuild it with "
                "CMAKE_ARGS='-DGGML_NATIVE=OFF -DGGML_AVX2=ON -DGGML_FMA=ON -DGGML_F16C=ON'.",
            )
        )
    if found.machine.gpus and engine.gpu is None:
        found.findings.append(
            Finding(
                f"{found.machine.gpus[0].name} is not used: the engine was built for the CPU only.",
                "Rebuild it with CMAKE_ARGS=-DGGML_CUDA=on (see the README).",
            )
        )
    if "avx2" in features and "AVX2" not in engine.system_info:
        found.findings.append(
            Finding("The engine does not use AVX2, which this processor has.", "Rebuild it with -DGGML_AVX2=ON.")
        )


def _check_data(found: Diagnosis, data_dir: Path) -> None:
    try:
        application = Application.open(data_dir)
    except CodetteError as error:
        found.findings.append(Finding(error.message, error.hint, blocking=True))
        return
    try:
        found.notes = application.notes
        store = application.store
        wrong = store.check()
        found.database = {
            "path": str(store.path),
            "bytes": store.path.stat().st_size,
            "conversations": store.conversations.count(),
            "integrity": wrong or ["ok"],
        }
        if wrong:
            found.findings.append(
                Finding(f"The database is damaged: {wrong[0]}", "Restore a copy from the folder 'backups' beside it.")
            )
        found.audit, findings = check_audit(store)
        found.findings += findings
        _check_configuration(found, application)
        found.models = [
            {
                "name": model.name,
                "label": model.label,
                "path": str(model.path),
                "bytes": model.size_bytes,
                "context_length": model.context_length,
            }
            for model in application.library.list()
        ]
        for problem in application.library.problems():
            found.findings.append(Finding(f"{problem.path.name}: {problem.error.message}", problem.error.hint))
        if not found.models:
            found.findings.append(
                Finding("There is no model.", f"Put a .gguf file into {data_dir / 'models'}.", blocking=True)
            )
    except CodetteError as error:
        found.findings.append(Finding(error.message, error.hint, blocking=True))
    finally:
        application.store.close()


def _check_configuration(found: Diagnosis, application: Application) -> None:
    configuration = application.configuration
    problems = configuration.check()
    found.configuration = {
        "path": str(configuration.path),
        "exists": configuration.exists,
        "problems": [str(problem) for problem in problems],
    }
    found.findings += [
        Finding(
            f"{configuration.path.name}, line {problem.line}: {problem.message}",
            problem.hint or "See 'codette-desktop config check'.",
        )
        for problem in problems
    ]
