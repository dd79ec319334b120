"""The settings window, a page for each subject."""
