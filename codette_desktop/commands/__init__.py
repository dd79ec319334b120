"""Commands of the command line that have a module of their own; `codette_desktop.cli` puts them together."""
