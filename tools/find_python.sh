#!/bin/sh
# Prints the first Python >= 3.11 for which the pinned torch has wheels, else says so in one line.
# PYTHON=/path/to/python overrides the search.
for candidate in ${PYTHON:-python3 python3.11 python3.12 python3.13 python3.14}; do
    "$candidate" -c '
import struct, sys, venv
version = sys.version_info[:2]
sys.exit(not ((3, 11) <= version <= (3, 14) and struct.calcsize("P") == 8))
' 2>/dev/null && { command -v "$candidate"; exit 0; }
done
echo "make: no usable Python found (needs 64-bit CPython 3.11 to 3.14 with the venv module); install one, or name it: make PYTHON=/path/to/python" >&2
exit 1
