"""Roles: those that ship, and those of the configuration file."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from codette_desktop.configuration.reading import read
from codette_desktop.configuration.roles import Roles
from codette_desktop.configuration.settings import Settings
from codette_desktop.configuration.shipped import role_of, shipped_roles
from codette_desktop.domain.errors import ConfigurationError, InvalidRequest
from codette_desktop.domain.requests import Sampling
from codette_desktop.domain.roles import Role
from codette_desktop.paths import resource

FIVE = {
    "security-architect",
    "performance-engineer",
    "application-architect",
    "devops-specialist",
    "compliance-auditor",
}


def roles_of(text: str) -> Roles:
    settings = read(text, {}, Path("/"), shipped_roles=shipped_roles())
    assert settings.problems == ()
    return Roles(lambda: settings.settings)


def test_the_five_specialists_ship_each_with_a_prompt_of_its_own() -> None:
    assert set(shipped_roles()) == FIVE
    for role in shipped_roles().values():
        assert 120 <= len(role.prompt.split()) <= 250
        assert role.title.casefold() in role.prompt.casefold()
        for part in ("What you look at:", "How you answer:", "What you do not claim:"):
            assert part in role.prompt
    assert len({role.prompt for role in shipped_roles().values()}) == 5


def test_the_file_adds_roles_and_replaces_parts_of_shipped_ones() -> None:
    roles = roles_of("roles:\n  poet: {prompt: Rhyme., sampling: {top_k: 3}}\n  DevOps-Specialist: {model: writer}\n")
    assert len(roles.all()) == 6
    poet, changed = roles.find("POET"), roles.find("DevOps specialist")
    assert (poet.title, poet.prompt, poet.sampling) == ("poet", "Rhyme.", Sampling(top_k=3))
    assert roles.sampling_of(poet) == {"top_k": 3}
    assert (changed.model, changed.prompt) == ("writer", shipped_roles()["devops-specialist"].prompt)
    assert (roles.is_shipped(changed), roles.is_shipped(roles.find("compliance-auditor"))) == (False, True)


def test_an_unknown_role_is_refused_and_what_comes_close_is_named() -> None:
    with pytest.raises(InvalidRequest, match="no role") as refused:
        Roles(Settings).find("securty-architect")
    assert "security-architect" in refused.value.hint


@pytest.mark.parametrize(
    "text",
    ["---\nname: x\n---\nHello.", "---\nname: x\ntitle:\ndescription: z\n---\nHello.", "Hello.", "",
     "---\nname: x\ntitle: y\ndescription: z\n---\n"],
)  # fmt: skip
def test_a_file_that_is_no_role_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.md").write_text(text)
    with pytest.raises(ConfigurationError):
        role_of(tmp_path / "x.md")


def test_what_stands_before_a_prompt_may_hold_colons_and_the_prompt_lines(tmp_path: Path) -> None:
    (tmp_path / "x.md").write_text("---\nname: x\ntitle: X: a title\ndescription: Says 'no'.\n---\nOne.\n\n---\nTwo.\n")
    assert role_of(tmp_path / "x.md") == Role("x", "X: a title", "One.\n\n---\nTwo.", "Says 'no'.")


def test_without_a_file_of_ones_own_yaml_is_not_even_loaded(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib, codette_desktop.commands.config\nfrom codette_desktop.application import Application\n"
        f"application = Application.open(pathlib.Path({str(tmp_path)!r}))\n"
        "assert len(application.roles.all()) == 5; application.store.close()\n"
        "print([name for name in sys.modules if name.startswith('ruamel')])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def test_the_example_says_nothing_and_everything_in_it_is_right_once_it_is_used() -> None:
    text = resource("config", "example.yaml").read_text(encoding="utf-8")
    assert read(text, {}, Path("/")).settings == Settings()
    used = re.sub(r"(?m)^# (?=[a-z ]+[\w-]*:|  )", "", text)
    found = read(used, {}, Path("/"), shipped_roles=shipped_roles())
    assert [str(problem) for problem in found.problems] == []
    settings = found.settings
    assert all((settings.models, settings.servers, settings.roles, settings.tasks, settings.fallbacks))
    assert settings.fallback is True
