"""`python -m codette_desktop`."""

from codette_desktop.cli import main

if __name__ == "__main__":
    main(prog_name="codette-desktop")
