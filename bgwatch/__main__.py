"""``python -m bgwatch`` is the command ``bgwatch``."""

from bgwatch.cli import main

if __name__ == "__main__":
    main()
