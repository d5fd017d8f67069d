"""`python -m medfold`."""

from medfold.cli import main

if __name__ == "__main__":
    main()
