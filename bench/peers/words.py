"""The words a bot would look for: of each kind of signal, groups of words of which a sentence must hold one each, and words that spoil it.

They are the words in which the task is told (README.md and the titles of the rules that post), with their inflections and the usual synonyms.
"""

from __future__ import annotations

Groups = tuple[tuple[str, ...], ...]

_TROOPS = (
    "troops",
    "soldiers",
    "forces",
    "reinforcements",
    "battalion",
    "battalions",
    "brigade",
    "brigades",
    "personnel",
    "units",
    "marines",
)
_SEND = (
    "send", "sends", "sending", "sent", "deploy", "deploys", "deploying", "deployed", "deployment", "deployments", "dispatch", "dispatches",
    "dispatching", "dispatched", "move", "moves", "moving", "moved", "reinforce", "reinforces", "reinforcing", "reinforced",
)  # fmt: skip
_PREPARE = (
    "prepare", "prepares", "preparing", "prepared", "preparation", "preparations", "ready", "readies", "readying", "plans", "plan", "planning",
    "imminent", "set", "soon", "signs",
)  # fmt: skip
_MISSILES = ("missile", "missiles", "icbm", "icbms", "satellite", "satellites", "rocket", "rockets")
_RAISE = (
    "increase", "increases", "increasing", "increased", "raise", "raises", "raising", "raised", "boost", "boosts", "boosting", "boosted", "hike",
    "hikes", "grow", "grows", "growing", "rise", "rises", "rising", "double", "doubles", "more", "higher",
)  # fmt: skip
_DEFENCE = ("defence", "defense", "military", "armed")

SIGNALS: dict[str, Groups] = {
    "additional-deployment": (("additional", "more", "further", "fresh", "new", "extra", "another", "reinforcements"), _TROOPS, _SEND),
    "launch-preparation": (_PREPARE, ("launch", "launches", "launching", "test", "fire", "firing"), _MISSILES),
    "budget-increase": (_RAISE, _DEFENCE, ("budget", "budgets", "spending", "expenditure")),
    "nuclear-test-preparation": (_PREPARE, ("nuclear", "atomic"), ("test", "tests", "testing", "detonation")),
}  # fmt: skip
"""Of each group a sentence must hold a word."""

SPOILERS: dict[str, tuple[str, ...]] = {
    "additional-deployment": (
        "withdraw",
        "withdrawal",
        "withdrew",
        "withdrawing",
        "pull",
        "peacekeepers",
        "police",
        "firefighters",
        "killed",
        "previously",
    ),
    "launch-preparation": (
        "campaign",
        "album",
        "service",
        "product",
        "investigation",
        "dismantle",
        "dismantling",
        "failed",
    ),
    "budget-increase": ("cut", "cuts", "decrease", "overrun", "overruns"),
    "nuclear-test-preparation": ("plant", "reactor", "power", "halt", "suspend", "moratorium"),
}
"""What bots add once they have been wrong: words beside which it is no signal."""
