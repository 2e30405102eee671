"""Grows one checkpoint with bootlaw: `ours.py PARENT OUT OPERATOR ARGUMENTS-AS-JSON`."""

import json
import sys
from pathlib import Path

from bootlaw.growth import describe
from bootlaw.growth.checkpoint import open_checkpoint, write_grown
from bootlaw.growth.operators import OPERATORS

parent, out, operator, arguments = sys.argv[1:]
checkpoint = open_checkpoint(parent)
spec = describe(checkpoint.config, checkpoint.shapes)
write_grown(OPERATORS[operator].function(spec, **json.loads(arguments)), checkpoint, Path(out))
