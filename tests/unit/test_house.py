"""The rules of the house no other tool checks: sizes, docstrings, what lies at the top, versions that must agree."""

import ast
import importlib
import importlib.metadata
import inspect
import pkgutil
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest

import codette_desktop
from codette_desktop import domain

ROOT = Path(__file__).resolve().parents[2]
AGREED = {
    "pyproject.toml", "README.md", "codette_desktop", "resources", "tests", "packaging",
    ".git", ".ci", ".gitignore", ".editorconfig", ".pre-commit-config.yaml",
}  # fmt: skip
LONGEST_FILE, LONGEST_FUNCTION = 400, 50


def _sources() -> list[Path]:
    return sorted(
        path for folder in ("codette_desktop", "packaging", "tests") for path in (ROOT / folder).rglob("*.py")
    )


def _project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def _functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_no_file_is_longer_than_one_idea() -> None:
    lengths = {path.relative_to(ROOT): len(path.read_text(encoding="utf-8").splitlines()) for path in _sources()}
    assert not {str(path): length for path, length in lengths.items() if length > LONGEST_FILE}


def test_no_function_is_longer_than_a_screen() -> None:
    long = [
        f"{path.relative_to(ROOT)}:{function.lineno} {function.name}"
        for path in _sources()
        for function in _functions(path)
        if (function.end_lineno or 0) - function.lineno >= LONGEST_FUNCTION
    ]
    assert not long


def test_every_module_says_what_it_is() -> None:
    silent = [path for path in _sources() if not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))]
    assert not [str(path.relative_to(ROOT)) for path in silent]


def test_every_folder_of_the_package_is_a_package() -> None:
    folders = {path.parent for path in (ROOT / "codette_desktop").rglob("*.py")}
    assert not [str(folder) for folder in folders if not (folder / "__init__.py").is_file()]


def test_every_public_domain_class_is_explained() -> None:
    modules = [
        importlib.import_module(f"{domain.__name__}.{item.name}") for item in pkgutil.iter_modules(domain.__path__)
    ]
    classes = [
        value
        for module in modules
        for name, value in inspect.getmembers(module, inspect.isclass)
        if value.__module__ == module.__name__ and not name.startswith("_")
    ]
    assert len(classes) > 20
    # A dataclass without a docstring is given one that only repeats its signature.
    assert not [kind.__name__ for kind in classes if not kind.__doc__ or kind.__doc__.startswith(f"{kind.__name__}(")]


def test_only_the_agreed_entries_lie_at_the_top() -> None:
    lines = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    ignored = [line for line in lines if line and not line.startswith("#")]
    entries = {path.name for path in ROOT.iterdir()}
    assert not {name for name in entries - AGREED if not any(fnmatch(name, pattern) for pattern in ignored)}


@pytest.mark.parametrize("isolated", [[], ["-P"]])
def test_the_folder_packaging_does_not_hide_the_library_packaging(isolated: list[str]) -> None:
    assert not (ROOT / "packaging" / "__init__.py").exists()
    code = "import packaging, packaging.version; print(packaging.__file__)"
    found = subprocess.run(
        [sys.executable, *isolated, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "site-packages" in found.stdout


def test_types_are_strict_in_every_package_but_the_window() -> None:
    packages = {item.name for item in pkgutil.iter_modules(codette_desktop.__path__) if item.ispkg}
    strict = {Path(path).name for path in _project()["tool"]["pyright"]["strict"]}
    assert packages - strict == {"gui"}


def test_checks_before_a_commit_use_the_same_ruff() -> None:
    wanted = [item for item in _project()["project"]["optional-dependencies"]["dev"] if item.startswith("ruff==")]
    hooks = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    assert set(re.findall(r'"(ruff[^"]*)"', hooks)) == set(wanted)


def test_the_installed_package_is_this_checkout() -> None:
    assert Path(codette_desktop.__file__).is_relative_to(ROOT)
    if Path(sys.prefix).is_relative_to(ROOT):  # made by packaging/dev.py
        assert importlib.metadata.version("codette-desktop") == codette_desktop.__version__


def test_benchmarks_run_only_when_they_are_named(pytestconfig: pytest.Config) -> None:
    hook = pytestconfig.hook.pytest_ignore_collect
    arguments = pytestconfig.args
    try:
        pytestconfig.args = ["tests"]
        assert hook(collection_path=ROOT / "tests" / "benchmarks" / "bench.py", config=pytestconfig) is True
        assert not hook(collection_path=ROOT / "tests" / "unit", config=pytestconfig)
        pytestconfig.args = ["tests/benchmarks"]
        assert not hook(collection_path=ROOT / "tests" / "benchmarks", config=pytestconfig)
    finally:
        pytestconfig.args = arguments
