"""Toasts, banner, gauge, labels, buttons, forms, help."""

from collections.abc import Iterator
from itertools import pairwise

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QVBoxLayout, QWidget

from codette_desktop.domain.answers import ContextUse
from codette_desktop.domain.requests import Sampling
from codette_desktop.gui.theme import ThemeManager
from codette_desktop.gui.widgets import (
    Banner,
    ChipButton,
    ContextGauge,
    ElidedLabel,
    EmptyState,
    GrowingTextEdit,
    IconButton,
    ParameterField,
    SamplingForm,
    SegmentedControl,
    ShortcutHelp,
    StatusDot,
    ToastHost,
    delete_with_undo,
    separator,
)


@pytest.fixture
def theme(qapp: QApplication) -> ThemeManager:
    return ThemeManager(qapp, mode="light")


@pytest.fixture
def window(theme: ThemeManager, qapp: QApplication) -> Iterator[QWidget]:
    made = QWidget()
    QVBoxLayout(made)
    made.resize(900, 600)
    made.show()
    yield made
    made.close()
    made.deleteLater()


def add(window: QWidget, widget: QWidget) -> None:
    layout = window.layout()
    assert layout is not None
    layout.addWidget(widget)
    QApplication.processEvents()


def test_undo_takes_back_and_does_not_commit(window: QWidget) -> None:
    host, done = ToastHost(window), []
    toast = delete_with_undo(host, "Deleted", undo=lambda: done.append("undo"), commit=lambda: done.append("commit"))
    assert toast.action_button is not None
    toast.action_button.click()
    toast.dismiss()
    assert done == ["undo"]
    assert host.toasts == ()


def test_a_deletion_is_committed_when_its_toast_goes(window: QWidget) -> None:
    host, done = ToastHost(window), []
    delete_with_undo(host, "Deleted", undo=lambda: done.append("undo"), commit=lambda: done.append("commit")).dismiss()
    assert done == ["commit"]
    delete_with_undo(host, "Deleted", undo=lambda: None, commit=lambda: done.append("at closing"))
    host.dismiss_all()
    assert done == ["commit", "at closing"]


def test_toasts_go_by_themselves_and_wait_under_the_pointer(window: QWidget, qtbot: object) -> None:
    host = ToastHost(window)
    toast = host.show_toast("Short", timeout_ms=40)
    QTest.qWait(120)
    assert not toast.is_open
    held = host.show_toast("Held", timeout_ms=40)
    held._timer.stop()  # what enterEvent does; offscreen has no pointer
    QTest.qWait(80)
    assert held.is_open
    held.dismiss()


def test_toasts_stack_at_the_bottom_right_and_do_not_overlap(window: QWidget) -> None:
    host = ToastHost(window)
    toasts = [host.show_toast("text " * count, "bad", timeout_ms=0) for count in (1, 40, 3)]
    for upper, lower in pairwise(toasts):
        assert upper.geometry().bottom() < lower.geometry().top()
    window.resize(700, 500)
    QApplication.processEvents()
    assert toasts[-1].geometry().right() < 700
    assert toasts[-1].geometry().bottom() < 500
    for _ in range(5):
        host.show_toast("more", timeout_ms=0)
    assert len(host.toasts) == 4
    host.dismiss_all()


def test_toasts_say_their_state_and_close_with_escape(window: QWidget) -> None:
    host = ToastHost(window)
    toast = host.show_toast("No memory", "bad", timeout_ms=0)
    assert toast.accessibleName() == "Error: No memory"
    QTest.keyClick(toast, Qt.Key.Key_Escape)
    assert not toast.is_open


def test_banner_shows_state_in_words_and_calls_its_action(window: QWidget) -> None:
    banner, done = Banner(), []
    add(window, banner)
    assert banner.isHidden()
    banner.show_message("bad", "Not saved.", action_text="Try again", on_action=lambda: done.append(1), closable=True)
    assert banner.accessibleName() == "Error: Not saved."
    banner.action_button.click()
    assert done == [1]
    banner.show_message("good", "Saved.", word="Mended")
    assert banner.accessibleName() == "Mended: Saved."
    assert banner.action_button.isHidden()
    banner.clear()
    assert banner.isHidden()


def test_gauge_figures(window: QWidget) -> None:
    gauge = ContextGauge()
    add(window, gauge)
    assert gauge.text() == "–"
    gauge.set_use(1024, 60, 180, 72)
    assert gauge.text() == "312/1,024"
    assert [tokens for _, tokens, _ in gauge.parts()] == [60, 180, 72, 712]
    assert "712" in gauge.toolTip()
    assert "Left out" not in gauge.toolTip()
    gauge.set_context_use(ContextUse(100, 40, 40, 40, left_out_messages=2))
    assert gauge.parts()[-1][1] == 0
    assert "Left out because they no longer fit: 2" in gauge.toolTip()
    gauge.grab()
    gauge.set_unknown()
    gauge.grab()


def test_gauge_is_a_button_for_keyboard_and_mouse(window: QWidget) -> None:
    gauge, heard = ContextGauge(), []
    add(window, gauge)
    gauge.clicked.connect(lambda: heard.append(1))
    QTest.mouseClick(gauge, Qt.MouseButton.LeftButton, pos=QPoint(5, 5))
    QTest.keyClick(gauge, Qt.Key.Key_Space)
    assert len(heard) == 2


def test_elided_label_shows_the_whole_text_in_its_tooltip(window: QWidget) -> None:
    label = ElidedLabel("A long title\nof a conversation " * 5)
    add(window, label)
    label.setFixedWidth(100)
    QApplication.processEvents()
    assert label.is_elided
    assert label.toolTip() == label.text()
    assert "\n" not in label.text()
    label.setText("short")
    QApplication.processEvents()
    assert not label.is_elided
    assert label.toolTip() == ""


def test_segments_tell_changes_and_move_with_arrows(window: QWidget) -> None:
    control, heard = SegmentedControl([("a", "One"), ("b", "Two"), ("c", "Three")], "Choice"), []
    add(window, control)
    control.changed.connect(heard.append)
    control.button("b").click()
    QTest.keyClick(control, Qt.Key.Key_Right)
    QTest.keyClick(control, Qt.Key.Key_Right)
    assert heard == ["b", "c", "a"]
    control.set_current("c")
    assert control.current == "c"
    with pytest.raises(ValueError, match="x"):
        control.set_current("x")


def test_empty_state_offers_up_to_three_things(window: QWidget) -> None:
    done: list[str] = []
    empty = EmptyState(
        "message-square", "Ask", "Text", [("One", lambda: done.append("one")), ("Two", lambda: None, "primary")]
    )
    add(window, empty)
    empty.buttons[0].click()
    assert done == ["one"]
    assert empty.buttons[1].property("role") == "primary"
    with pytest.raises(ValueError, match="three"):
        empty.set_actions([("x", lambda: None)] * 4)


def test_parameter_field_keeps_slider_and_box_together(window: QWidget) -> None:
    heard: list[float] = []
    field = ParameterField("t", "Temperature", "How freely.", minimum=0, maximum=5, default=0.7, step=0.05, decimals=2)
    add(window, field)
    field.changed.connect(heard.append)
    field.slider.setValue(20)
    assert field.value() == pytest.approx(1.0)
    assert not field.is_default()
    field.reset_button.click()
    assert field.value() == pytest.approx(0.7)
    assert field.is_default()
    assert not field.reset_button.isEnabled()
    field.box.setValue(1.23)
    assert field.value() == pytest.approx(1.23)
    assert heard == pytest.approx([1.0, 0.7, 1.23])


def test_exact_values_survive_a_coarse_slider(window: QWidget) -> None:
    field = ParameterField(
        "k", "Top-k", "x", minimum=0, maximum=1_000_000, default=40, step=1, logarithmic=True, slider_maximum=1_000
    )
    add(window, field)
    for value in (0, 1, 41, 999, 123_456):
        field.set_value(value)
        assert field.value() == value


@pytest.mark.parametrize(
    "sampling",
    [
        Sampling(),
        Sampling(temperature=0, top_k=0, seed=0, max_tokens=1, stop=("###", "User:")),
        Sampling(temperature=4.5, min_p=1, seed=2**32 - 2, max_tokens=10_000_000, penalty_window=1_000_000),
        Sampling(frequency_penalty=-2, presence_penalty=2, repeat_penalty=0.1, grammar="root ::= x"),
    ],
)
def test_sampling_form_returns_what_it_was_given(window: QWidget, sampling: Sampling) -> None:
    form = SamplingForm()
    add(window, form)
    heard: list[int] = []
    form.changed.connect(lambda: heard.append(1))
    form.set_sampling(sampling)
    assert form.sampling() == sampling
    assert heard == [1]
    form.reset()
    assert form.sampling() == Sampling()


def test_composer_sends_on_enter_and_grows(window: QWidget, qapp: QApplication) -> None:
    box, heard = GrowingTextEdit(max_lines=4), []
    add(window, box)
    box.submitted.connect(lambda: heard.append("send"))
    box.submitted_ensemble.connect(lambda: heard.append("ensemble"))
    one = box.height()
    QTest.keyClicks(box, "first")
    QTest.keyClick(box, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    QTest.keyClicks(box, "second")
    assert box.toPlainText() == "first\nsecond"
    qapp.processEvents()
    two = box.height()
    assert two > one
    QTest.keyClick(box, Qt.Key.Key_Return)
    QTest.keyClick(box, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert heard == ["send", "ensemble"]
    box.setPlainText("x\n" * 50)
    qapp.processEvents()
    assert box.height() < 5 * one


def test_shortcut_help_opens_over_the_window_and_closes_with_escape(window: QWidget) -> None:
    sheet = ShortcutHelp(window, [("Everywhere", [("Ctrl+N", "New chat"), ("Ctrl++  Ctrl+-", "Zoom")])])
    sheet.toggle()
    assert sheet.isVisible()
    assert sheet.geometry() == window.rect()
    QTest.keyClick(sheet, Qt.Key.Key_Escape)
    assert not sheet.isVisible()


def test_every_interactive_widget_has_an_accessible_name(window: QWidget, theme: ThemeManager) -> None:
    banner, gauge = Banner(), ContextGauge()
    banner.show_message("warning", "Careful.", action_text="Mend", closable=True)
    for widget in (
        banner,
        gauge,
        SamplingForm(),
        SegmentedControl([("a", "A")], "Choice"),
        ChipButton("Chip"),
        StatusDot("good", "ok"),
        IconButton("copy", "Copy", "Ctrl+C"),
        EmptyState("box", "Empty", actions=[("Go", lambda: None)]),
        separator(),
    ):
        add(window, widget)
    ToastHost(window).show_toast("Hello", action_text="Undo", timeout_ms=0)
    ShortcutHelp(window, [("Group", [("F1", "Help")])]).open_over()
    unnamed = [
        widget
        for widget in window.findChildren(QWidget)
        if widget.focusPolicy() != Qt.FocusPolicy.NoFocus and not widget.objectName().startswith("qt_")
        if not QAccessible.queryAccessibleInterface(widget).text(QAccessible.Text.Name)
    ]
    assert unnamed == []
    for button in window.findChildren(QAbstractButton):
        assert button.toolTip() or button.text(), button


def test_icon_buttons_tell_their_shortcut() -> None:
    assert IconButton("copy", "Copy", "Ctrl+C").toolTip() == "Copy (Ctrl+C)"


def test_all_widgets_follow_theme_and_zoom(window: QWidget, theme: ThemeManager, qapp: QApplication) -> None:
    for widget in (ContextGauge(), SamplingForm(), EmptyState("box", "Empty", "text"), StatusDot("bad", "broken")):
        add(window, widget)
    before = window.grab().toImage()
    theme.set_mode("dark")
    qapp.processEvents()
    assert window.grab().toImage() != before
    theme.set_zoom(150)
    qapp.processEvents()
    theme.set_zoom(100)
    theme.set_mode("light")
    for _ in range(3):
        qapp.processEvents()
    window.resize(900, 600)
    assert window.grab().toImage().pixelColor(2, 2) == before.pixelColor(2, 2)


def test_a_long_message_is_shown_whole(window: QWidget, theme: ThemeManager) -> None:
    theme.set_zoom(100)
    toast = ToastHost(window).show_toast("The context is too short for this prompt. " * 6, "bad", timeout_ms=0)
    QApplication.processEvents()
    assert toast._label.height() >= toast._label.heightForWidth(toast._label.width())
