"""What holds for the whole suite."""

from hypothesis import settings

# A busy machine is no fault of the code: timings are benches, never asserts.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")
