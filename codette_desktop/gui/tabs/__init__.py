"""One folder per tab: a widget, and a presenter that knows no widgets."""
