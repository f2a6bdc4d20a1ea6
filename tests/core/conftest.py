"""What holds for every core test: examples are not timed, and are the same in each run; `HYPOTHESIS_PROFILE=search` looks for new ones."""

from __future__ import annotations

import os

from hypothesis import settings

settings.register_profile("tocsin", deadline=None, derandomize=True)  # a change is judged by itself, not by luck
settings.register_profile("search", deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "tocsin"))
