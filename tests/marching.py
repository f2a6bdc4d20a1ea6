"""A small sound set of rules, to be broken in tests: one rule, on who marches, and one list of names."""

from __future__ import annotations

from pathlib import Path

RULE = """title: Marching
id: 0c1f6f1e-5a0c-4c0c-9a53-0d6b6f7f0a10
name: marching
status: experimental
level: {done: high}
description: Somebody marches somewhere.
references: [https://example.org/]
falsepositives: [Parades.]
policy: Exercises are left alone.
runbook: Look where they march to.
who: {from: [realms]}
lists:
  march: {verbs: [march]}
  host: {nouns: [host]}
forms:
  - {form: <march> ..4 <host>}
story: {same: [who], quiet_for: 3d}
tests:
  fires: [{text: "Ruritania marched its host.", who: ruritania}]
  silent: ["Nobody moved."]
"""
REALMS = """list: realms
kind: names
entries:
  - {slug: ruritania, name: Ruritania, names: [Ruritania]}
"""


def write(folder: Path) -> Path:
    """Writes the set below a folder, and says where."""
    rules = folder / "rules"
    (rules / "lists").mkdir(parents=True)
    (rules / "lists" / "realms.yaml").write_text(REALMS, encoding="utf-8")
    (rules / "marching.yaml").write_text(RULE, encoding="utf-8")
    return rules
