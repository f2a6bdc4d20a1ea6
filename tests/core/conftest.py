"""What holds for every core test: hypothesis does not time its examples, for other work may slow the machine."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("tocsin", deadline=None)
settings.load_profile("tocsin")
