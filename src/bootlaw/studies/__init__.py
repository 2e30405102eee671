"""Studies: a grid of two-stage runs, trained once each, from a laptop upwards."""

from bootlaw.studies.spec import PRESETS, StudySpec, load_spec, parse_spec
from bootlaw.studies.study import StudyResult, run_study

__all__ = ["PRESETS", "StudyResult", "StudySpec", "load_spec", "parse_spec", "run_study"]
