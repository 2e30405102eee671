"""Property-based tests without a deadline: how long an example takes is the machine's business."""

from hypothesis import settings

settings.register_profile("growth", deadline=None)
settings.load_profile("growth")
