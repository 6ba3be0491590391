"""`python -m stamp`: the command line, of the Python that runs it; `python -I -m stamp` imports nothing from the current folder."""

from stamp.cli.main import main

if __name__ == "__main__":
    main()
