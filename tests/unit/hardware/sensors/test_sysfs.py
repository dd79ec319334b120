"""Numbers and labels in Linux's files."""

from pathlib import Path

import pytest

from codette_desktop.hardware.sensors import sysfs
from tests.support.sensor_trees import write


@pytest.mark.parametrize(
    ("content", "value"),
    [("42\n", 42), (" -7 \n", -7), ("1.5", 1.5), ("", None), ("12 W", None), ("nan", None), ("1e999", None)],
)
def test_a_number_or_nothing(tmp_path: Path, content: str, value: float | None) -> None:
    write(tmp_path, value=content)
    assert sysfs.number(tmp_path / "value") == value
    assert sysfs.whole(tmp_path / "value") == (None if value is None or value < 0 else int(value))


def test_what_is_no_file_is_nothing(tmp_path: Path) -> None:
    assert sysfs.text(tmp_path) is None
    assert sysfs.text(tmp_path / "absent") is None
    assert sysfs.hexadecimal(tmp_path) is None
    assert sysfs.folders(tmp_path / "absent", "*") == []


def test_the_first_label_that_is_there(tmp_path: Path) -> None:
    write(tmp_path, temp1_input="1", temp1_label="edge", temp2_input="2", temp2_label="junction", temp10_input="10")
    write(tmp_path, temp1_crit="99", tempx_input="5")
    assert sysfs.labelled(tmp_path, "temp", "junction", "edge") == tmp_path / "temp2_input"
    assert sysfs.labelled(tmp_path, "temp", "mem", "edge") == tmp_path / "temp1_input"
    assert sysfs.labelled(tmp_path, "temp", "mem") == tmp_path / "temp1_input"
    assert sysfs.labelled(tmp_path, "fan") is None
