"""Names of models as they are shown."""

from pathlib import Path

from codette_desktop.domain.models import LONGEST_LABEL, ModelInfo, ServerModel


def test_a_label_is_one_line_and_not_too_long_whatever_a_server_or_a_file_tells() -> None:
    name = "two\nlines and " + "W" * 300 + ":Q4_K_M"
    file = ModelInfo("m", name, Path("m.gguf"), "llama", "Q8_0", 1, 1, 1024, 32)
    for label, rest in ((ServerModel("shed/m", name, "shed").label, " · shed"), (file.label, " · Q8_0")):
        assert "\n" not in label
        assert len(label) == LONGEST_LABEL + len(rest)
        assert label.startswith("two lines and WWW")
        assert label.endswith(f":Q4_K_M{rest}")


def test_a_usual_name_is_shown_whole() -> None:
    name = "hf.co/bartowski/Meta-Llama-3.1-8B-Instruct-GGUF:Q4_K_M"
    assert ServerModel("shed/m", name, "shed").label == f"{name} · shed"
