"""Set-up for all tests: property tests that draw the same examples everywhere."""

from hypothesis import settings

# Derandomized: a run can be repeated, and CI finds what the developer found. To look for new
# examples: pytest --hypothesis-profile=default.
settings.register_profile("milobot", derandomize=True, deadline=None, print_blob=True)
settings.load_profile("milobot")
