"""The text of the style sheet, by subject. @name is a token or a size of `stylesheet.SIZES`. Lines stay 1 px."""

BASE = """
QWidget { color: @text; }
QMainWindow, QDialog, QMessageBox { background: @window; }
QToolTip { background: @raised; color: @text; border: 1px solid @line_strong; padding: @p4 @p8; font-size: @small; }
QLabel { background: transparent; }
QLabel[role="title"] { font-size: @title; font-weight: 600; }
QLabel[role="heading"] { font-size: @answer; font-weight: 600; }
QLabel[role="question"] { font-size: @answer; }
QLabel[role="strong"] { font-weight: 600; }
QLabel[role="secondary"] { color: @secondary; font-size: @small; }
QLabel[role="mono"] { font-family: "@mono"; font-size: @small; }
QLabel[role="good"] { color: @good_word; }
QLabel[role="warning"] { color: @warning_word; }
QLabel[role="bad"] { color: @bad_word; }
QLabel:disabled { color: @line_strong; }
*[role="card"] { background: @surface; border: 1px solid @line; border-radius: @card_radius; }
*[role="surface"] { background: @surface; }
*[role="panel"] { background: @window; }
*[role="bar"] { background: @window; }
*[role="line"] { background: @line; border: none; }
QStatusBar { background: @window; border-top: 1px solid @line; color: @secondary; }
QStatusBar::item { border: none; }
QScrollArea, QStackedWidget { background: transparent; border: none; }
QScrollArea > QWidget#qt_scrollarea_viewport { background: transparent; }
"""

BUTTONS = """
QPushButton { background: @surface; border: 1px solid @line_strong; border-radius: @radius; padding: @p5 @p12;
  min-height: @p18; }
QPushButton:hover { background: @hover; }
QPushButton:pressed, QPushButton:checked { background: @pressed; }
QPushButton:focus { border: 2px solid @accent; padding: @p4 @p12; }
QPushButton:disabled { color: @line_strong; background: @window; border-color: @line; }
QPushButton[role="primary"] { background: @accent_fill; border-color: @accent_fill; color: @accent_text;
  font-weight: 600; }
QPushButton[role="primary"]:hover { background: @accent_hover; border-color: @accent_hover; }
QPushButton[role="primary"]:pressed { background: @accent_fill; }
QPushButton[role="primary"]:focus { border: 2px solid @text; }
QPushButton[role="primary"]:disabled { background: @pressed; border-color: @pressed; color: @secondary; }
QPushButton[role="danger"] { background: @bad; border-color: @bad; color: @on_bad; font-weight: 600; }
QPushButton[role="danger"]:hover { background: @bad_hover; border-color: @bad_hover; }
QPushButton[role="danger"]:focus { border: 2px solid @text; }
QPushButton[role="ghost"] { background: transparent; border-color: transparent; color: @text; }
QPushButton[role="ghost"]:hover { background: @hover; }
QPushButton[role="ghost"]:pressed, QPushButton[role="ghost"]:checked { background: @pressed; }
QPushButton[role="ghost"]:focus { border: 2px solid @accent; }
QPushButton[role="chip"] { background: @surface; border: 1px solid @line; border-radius: @p12; padding: @p4 @p12; }
QPushButton[role="chip"]:hover { background: @hover; border-color: @line_strong; }
QPushButton[role="chip"]:checked { background: @accent_soft; border-color: @accent; }
QPushButton[role="chip"]:focus { border: 2px solid @accent; padding: @p3 @p12; }
QPushButton[role="vote"] { background: @surface; border: 1px solid @line_strong; border-radius: @radius;
  padding: @p8 @p12; font-weight: 600; }
QPushButton[role="vote"]:hover { background: @hover; border-color: @accent; }
QPushButton[role="vote"]:checked { background: @accent_soft; border-color: @accent; color: @text; }
QPushButton[role="vote"]:focus { border: 2px solid @accent; padding: @p8 @p12; }
QPushButton[role="vote"]:disabled { color: @secondary; }
QPushButton::menu-indicator { image: url("@controls/chevron-down.svg"); width: @p12; height: @p12;
  subcontrol-position: center right; subcontrol-origin: border; margin-right: @p6; }
QPushButton[menu="true"], QPushButton[menu="true"]:focus { padding-right: @p24; }
QToolButton { background: transparent; border: 2px solid transparent; border-radius: @radius; padding: @p3; }
QToolButton:hover { background: @hover; }
QToolButton:pressed, QToolButton:checked { background: @pressed; }
QToolButton:focus { border: 2px solid @accent; }
QToolButton:disabled { color: @line_strong; }
QToolButton[role="secondary"] { background: @surface; border: 1px solid @line_strong; padding: @p4 @p8; }
QToolButton[role="secondary"]:hover { background: @hover; }
QToolButton[role="secondary"]:focus { border: 2px solid @accent; }
QToolButton[role="primary"] { background: @accent_fill; color: @accent_text; }
QToolButton[role="primary"]:hover { background: @accent_hover; }
QToolButton[role="primary"]:focus { border: 2px solid @text; }
QToolButton[role="primary"]:disabled { background: @pressed; }
QToolButton::menu-indicator { image: none; }
QToolButton[popupMode="1"] { padding-right: @p18; }
QToolButton::menu-button { border: none; width: @p16; }
QToolButton::menu-arrow { image: url("@controls/chevron-down.svg"); width: @p12; height: @p12; }
"""

FIELDS = """
QLineEdit, QAbstractSpinBox, QComboBox, QTextEdit, QPlainTextEdit { background: @surface; color: @text;
  border: 1px solid @line_strong; border-radius: @radius; selection-background-color: @selection;
  selection-color: @text; }
QLineEdit, QAbstractSpinBox, QComboBox { padding: @p5 @p8; min-height: @p18; }
QTextEdit, QPlainTextEdit { padding: @p4; }
QLineEdit:focus, QAbstractSpinBox:focus, QComboBox:focus, QTextEdit:focus, QPlainTextEdit:focus {
  border: 2px solid @accent; }
QLineEdit:focus, QAbstractSpinBox:focus, QComboBox:focus { padding: @p4 @p8; }
QTextEdit:focus, QPlainTextEdit:focus { padding: @p3; }
QLineEdit:disabled, QAbstractSpinBox:disabled, QComboBox:disabled, QTextEdit:disabled, QPlainTextEdit:disabled {
  color: @line_strong; background: @window; border-color: @line; }
QLineEdit[role="search"] { border-color: @line; }
QLineEdit[role="search"]:focus { border: 2px solid @accent; }
QLineEdit[invalid="true"] { border: 2px solid @bad; }
QPlainTextEdit[role="composer"], QPlainTextEdit[role="composer"]:focus { border: none; background: transparent;
  padding: 0px; font-size: @answer; }
QTextEdit[role="document"], QTextEdit[role="document"]:focus, QPlainTextEdit[role="document"],
QPlainTextEdit[role="document"]:focus { border: none; background: transparent; padding: 0px; border-radius: 0px; }
QAbstractSpinBox, QAbstractSpinBox:focus { padding-left: 0px; padding-right: @p20; }
QAbstractSpinBox QLineEdit, QAbstractSpinBox QLineEdit:focus { border: none; background: transparent; min-height: 0px;
  padding: 0px 0px 0px @p8; }
QComboBox QLineEdit, QComboBox QLineEdit:focus { border: none; background: transparent; min-height: 0px; padding: 0px; }
QLineEdit, QTextEdit, QPlainTextEdit { placeholder-text-color: @secondary; }
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button { subcontrol-origin: border; width: @p20; border: none;
  background: transparent; border-radius: @p4; margin: 2px; }
QAbstractSpinBox::up-button { subcontrol-position: top right; }
QAbstractSpinBox::down-button { subcontrol-position: bottom right; }
QAbstractSpinBox::up-button:hover, QAbstractSpinBox::down-button:hover { background: @hover; }
QAbstractSpinBox::up-arrow { image: url("@controls/chevron-up.svg"); width: @p10; height: @p10; }
QAbstractSpinBox::down-arrow { image: url("@controls/chevron-down.svg"); width: @p10; height: @p10; }
QComboBox { padding-right: @p24; combobox-popup: 0; }
QComboBox:focus { padding-right: @p24; }
QComboBox:hover { background: @hover; }
QComboBox::drop-down { border: none; width: @p24; subcontrol-position: center right; }
QComboBox::down-arrow { image: url("@controls/chevron-down.svg"); width: @p14; height: @p14; }
QComboBox QAbstractItemView { background: @raised; border: 1px solid @line_strong; padding: @p4; outline: none;
  selection-background-color: @selection; selection-color: @text; }
QComboBox QAbstractItemView::item { min-height: @p26; padding: 0px @p8; border-radius: @p4; }
"""

CHOICES = """
QCheckBox, QRadioButton { spacing: @p8; background: transparent; padding: @p3; border: 2px solid transparent;
  border-radius: @radius; }
QCheckBox:focus, QRadioButton:focus { border: 2px solid @accent; }
QCheckBox:disabled, QRadioButton:disabled { color: @line_strong; }
QCheckBox::indicator, QRadioButton::indicator, QAbstractItemView::indicator { width: @p14; height: @p14;
  border: 1px solid @line_strong; background: @surface; }
QCheckBox::indicator, QAbstractItemView::indicator { border-radius: @p4; }
QRadioButton::indicator { border-radius: @p7; }
QCheckBox::indicator:hover, QRadioButton::indicator:hover { border-color: @accent; }
QCheckBox::indicator:checked, QAbstractItemView::indicator:checked { background: @accent_fill;
  border-color: @accent_fill; image: url("@controls/check.svg"); }
QCheckBox::indicator:indeterminate { background: @accent_fill; border-color: @accent_fill;
  image: url("@controls/minus.svg"); }
QRadioButton::indicator:checked { background: @accent_fill; border-color: @accent_fill;
  image: url("@controls/dot.svg"); }
QCheckBox::indicator:disabled, QRadioButton::indicator:disabled { background: @pressed; border-color: @line; }
QSlider { min-height: @p22; background: transparent; border: 2px solid transparent; border-radius: @radius; }
QSlider:focus { border: 2px solid @accent; }
QSlider::groove:horizontal { height: @p4; border-radius: @p2; background: @pressed; }
QSlider::sub-page:horizontal { background: @accent; border-radius: @p2; }
QSlider::handle:horizontal { width: @p14; height: @p14; margin: -@p6 0px; border-radius: @p8;
  background: @surface; border: 2px solid @accent; }
QSlider::handle:horizontal:hover { background: @accent_soft; }
QSlider::handle:horizontal:disabled { border-color: @line_strong; }
QSlider::sub-page:horizontal:disabled { background: @line_strong; }
QProgressBar { background: @pressed; border: none; border-radius: @p3; min-height: @p6; max-height: @p6;
  color: transparent; text-align: center; }
QProgressBar::chunk { background: @accent; border-radius: @p3; }
QFrame[role="segments"] { background: @pressed; border: none; border-radius: @radius; }
QPushButton[role="segment"] { background: transparent; border: 1px solid transparent; padding: @p3 @p12;
  border-radius: @p5; color: @secondary; }
QPushButton[role="segment"]:hover { color: @text; }
QPushButton[role="segment"]:checked { background: @surface; color: @text; border-color: @line; font-weight: 600; }
QPushButton[role="segment"]:focus { border: 2px solid @accent; padding: @p2 @p12; }
"""

LISTS = """
QMenu { background: @raised; border: 1px solid @line_strong; padding: @p4; }
QMenu::item { padding: @p6 @p24 @p6 @p8; border-radius: @p4; }
QMenu::item:selected { background: @selection; }
QMenu::item:disabled { color: @line_strong; background: transparent; }
QMenu::icon { padding-left: @p8; }
QMenu::separator { height: 1px; background: @line; margin: @p4 @p8; }
QMenu::indicator { width: @p14; height: @p14; padding-left: @p6; }
QMenu::indicator:checked { image: url("@controls/tick.svg"); }
QMenuBar { background: @window; padding: @p2; }
QMenuBar::item { padding: @p4 @p8; border-radius: @p4; background: transparent; }
QMenuBar::item:selected { background: @hover; }
QTabWidget::pane { border: none; border-top: 1px solid @line; }
QTabBar { background: transparent; qproperty-drawBase: 0; }
QTabBar::tab { background: transparent; color: @secondary; padding: @p8 @p12; border: none;
  border-bottom: 2px solid transparent; margin-right: @p4; }
QTabBar::tab:hover { color: @text; }
QTabBar::tab:selected { color: @text; font-weight: 600; border-bottom: 2px solid @accent; }
QTabBar::tab:disabled { color: @line_strong; }
QTabBar:focus { border: 2px solid @accent; border-radius: @radius; }
QAbstractItemView { background: @surface; border: 1px solid @line; border-radius: @radius; outline: none;
  alternate-background-color: @window; selection-background-color: @selection; selection-color: @text; }
QAbstractItemView:focus { border: 1px solid @accent; }
QAbstractItemView::item { padding: @p4 @p6; min-height: @p18; }
QAbstractItemView::item:hover { background: @hover; }
QAbstractItemView::item:selected { background: @selection; color: @text; }
QListView[role="sidebar"] { background: transparent; border: 2px solid transparent; padding: 0px; }
QListView[role="sidebar"]:focus { border: 2px solid @accent; }
QListView[role="sidebar"]::item { padding: @p8; border-radius: @radius; margin: 1px 0px;
  min-height: @p18; }
QListView[role="sidebar"]::item:hover { background: @hover; }
QListView[role="sidebar"]::item:selected { background: @selection; color: @text; }
QHeaderView { background: @surface; border: none; }
QHeaderView::section { background: @window; color: @secondary; border: none; border-bottom: 1px solid @line;
  padding: @p6 @p8; font-size: @small; }
QHeaderView::up-arrow { image: url("@controls/chevron-up.svg"); width: @p12; height: @p12; }
QHeaderView::down-arrow { image: url("@controls/chevron-down.svg"); width: @p12; height: @p12; }
QTableCornerButton::section { background: @window; border: none; }
QTableView { gridline-color: @line; }
"""

SCROLLING = """
QScrollBar { background: transparent; border: none; margin: 0px; }
QScrollBar:vertical { width: @p10; }
QScrollBar:horizontal { height: @p8; }
QScrollBar::handle { background: @line_strong; border-radius: 2px; }
QScrollBar::handle:vertical { margin: @p2 @p3; }
QScrollBar::handle:horizontal { margin: @p2; }
QScrollBar::handle:vertical { min-height: @p32; }
QScrollBar::handle:horizontal { min-width: @p32; }
QScrollBar::handle:hover { background: @secondary; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0px; height: 0px; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
QSplitter::handle { background: @line; }
QSplitter::handle:horizontal { width: 1px; }
QSplitter::handle:vertical { height: 1px; }
QSplitter::handle:hover { background: @accent; }
QGroupBox { border: 1px solid @line; border-radius: @card_radius; margin-top: @p8; padding: @p12; }
QGroupBox::title { subcontrol-origin: margin; left: @p12; padding: 0px @p4; color: @secondary; }
"""

OWN = """
QFrame[role="toast"] { background: @raised; border: 1px solid @line_strong; border-radius: @card_radius; }
QFrame[role="sheet"] { background: @raised; border: 1px solid @line_strong; border-radius: @card_radius; }
QFrame[role="banner"] { border: 1px solid @line; border-radius: @radius; background: @accent_soft; }
QFrame[role="banner"][kind="good"] { background: @good_soft; }
QFrame[role="banner"][kind="warning"] { background: @warning_soft; }
QFrame[role="banner"][kind="bad"] { background: @bad_soft; }
QFrame[role="code"] { background: @code; border: 1px solid @line; border-radius: @radius; }
QFrame[role="code-head"] { background: @code_head; border: none; border-bottom: 1px solid @line;
  border-top-left-radius: @p5; border-top-right-radius: @p5; }
QLabel[role="key"] { background: @window; border: 1px solid @line_strong; border-radius: @p4; padding: 1px @p6;
  font-family: "@mono"; font-size: @small; }
"""

PARTS = (BASE, FIELDS, LISTS, BUTTONS, CHOICES, SCROLLING, OWN)
