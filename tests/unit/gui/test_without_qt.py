"""What is shown is decided without Qt: presenters, their states and their words can be tested and used alone."""

import subprocess
import sys

MODULES = {
    "ask": ("presenter", "answering", "drafts", "state", "wording", "presets", "transfer"),
    "compare": ("presenter", "batch_presenter", "state"),
    "rate": ("presenter", "state", "wording", "board_wording", "vote_wording"),
}


def test_presenters_know_no_qt() -> None:
    lines = [f"import codette_desktop.gui.tabs.{tab}.{name}" for tab, names in MODULES.items() for name in names]
    lines += ["import codette_desktop.gui.model_choice", "import codette_desktop.gui.shortcuts", "import sys"]
    lines.append("assert not [name for name in sys.modules if name.startswith(('PySide6', 'qasync'))]")
    subprocess.run([sys.executable, "-c", "\n".join(lines)], check=True)
