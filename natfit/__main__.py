"""``python -m natfit`` is the command ``natfit``."""

import sys

from natfit.cli import main

if __name__ == "__main__":
    sys.exit(main())
