"""Sets of rules that were pushed: where they are kept in the bucket, and which one a function uses now."""

from __future__ import annotations

import gzip
import logging
import shutil
import tempfile
import weakref
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path

from botocore.exceptions import ClientError

from tocsin import artefact
from tocsin.adapters.rulebook import INSIDE, build, rulebook
from tocsin.artefact import Artefact
from tocsin.errors import Fault, InputFault, RuleFaults
from tocsin.ports import Archive, Bulletin, RulesInForce, version_of
from tocsin.rulefiles import bundled, files_of, fingerprint, unbundled, written_to

log = logging.getLogger("tocsin")

MAX_SET = 50_000_000
"""Bytes a set may have, as it is kept."""
NAME = "rules"
"""What the folder of every set is called, wherever it was pushed from: faults name files in it."""
KEPT = 3
"""Sets beside the deployed one that a function remembers."""
TOLD = 10
"""Faults that the channel is told of."""

Tell = Callable[[str, Bulletin], object]


def key_of(rules: str) -> str:
    """Where the files of a set are kept."""
    return f"rules/sets/{rules}.json.gz"


def _compiled_key(key: str) -> str:
    return f"rules/compiled/{key}.gz"


def keep(archive: Archive, files: Mapping[str, bytes]) -> str:
    """Keeps a set and, so that no function has to compile it, what this version makes of it; returns its name."""
    name = fingerprint(files)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / NAME
        written_to(folder, files)
        build(folder)
        key = artefact.key(folder)
        if key:
            archive.write(_compiled_key(key), gzip.compress((folder / INSIDE).read_bytes(), mtime=0))
    archive.write(key_of(name), bundled(files))
    return name


def fetched(archive: Archive, rules: str) -> dict[str, bytes]:
    """The files of a set; `InputFault` when they are not there or not what was pushed."""
    try:
        files = unbundled(archive.read(key_of(rules), limit=MAX_SET))
    except ClientError as error:  # who may not list a bucket is told nothing else of what is not there
        if error.response["Error"]["Code"] not in {"AccessDenied", "403"}:
            raise
        raise InputFault("is not in the bucket, or may not be read", key_of(rules), "push the rules again") from error
    if fingerprint(files) != rules:
        raise InputFault("is not what was pushed under this name", key_of(rules), "push the rules again")
    return files


def refusal(title: str, who: str, faults: list[Fault] | list[str], rest: str) -> Bulletin:
    """What the channel is told of rules that are not used: who, which file, which line."""
    more = [f"and {len(faults) - TOLD} more"] if len(faults) > TOLD else []
    return Bulletin(title, (f"Pushed by {who}.", *map(str, faults[:TOLD]), *more, rest), "medium")


class RulesInUse:
    """The folder of the rules a function uses: those that were pushed last and load without a fault, else those before, else those deployed."""

    def __init__(
        self,
        deployed: Path,
        in_force: Callable[[], RulesInForce | None],
        archive: Callable[[], Archive],
        tell: Tell | None = None,
        load: Callable[[Path], Artefact] = lambda folder: rulebook(folder, {}),
    ) -> None:
        self._deployed, self._in_force, self._archive, self._tell, self._load = deployed, in_force, archive, tell, load
        self._folders: dict[RulesInForce | None, Path] = {None: deployed}

    def folder(self, rules: str | None = None) -> Path:
        """The folder of a set (empty: of the deployed one); of the one in force when none is named."""
        wanted = self._in_force() if rules is None else self._named(rules)
        if wanted not in self._folders:
            chosen = self._chosen(wanted)
            while len(self._folders) > KEPT:
                del self._folders[next(one for one in self._folders if one)]
            self._folders[wanted] = chosen
        return self._folders[wanted]

    def _named(self, rules: str) -> RulesInForce | None:
        """What is known of a set that travelled with an article; nothing needs to be asked for the deployed one."""
        if not rules or rules == self._own:
            return None
        told = self._in_force()
        return told if told and told.set == rules else RulesInForce(rules, "", "")

    @cached_property
    def _own(self) -> str:
        """The name of the deployed set."""
        return fingerprint(files_of(self._deployed))

    def _chosen(self, wanted: RulesInForce | None) -> Path:
        """The folder of the first set that can be used."""
        for rules in (wanted.set, wanted.before) if wanted else ():
            if not rules:
                break
            try:
                return self._usable(rules)
            except RuleFaults as error:
                self._complain(rules, wanted, error.faults)
            except InputFault as fault:
                self._complain(rules, wanted, [str(fault)])
        return self._deployed

    def _usable(self, rules: str) -> Path:
        """The folder of a set that loads without a fault; `RuleFaults` or `InputFault`."""
        if self._own == rules:
            return self._deployed
        files = fetched(self._archive(), rules)
        place = tempfile.mkdtemp(prefix="tocsin-")
        weakref.finalize(self, shutil.rmtree, place, ignore_errors=True)
        folder = Path(place) / NAME
        written_to(folder, files)
        key = artefact.key(folder)
        if compiled := self._compiled(key):
            (folder / INSIDE).write_bytes(compiled)
        if faults := self._load(folder).faults:
            raise RuleFaults([*faults])
        return folder

    def _compiled(self, key: str | None) -> bytes | None:
        """What was compiled when the set was pushed, if by this version; without it the set is compiled here."""
        try:
            return gzip.decompress(self._archive().read(_compiled_key(key), limit=MAX_SET)) if key else None
        except (ClientError, InputFault, OSError, EOFError):
            log.warning("these rules were pushed by another version, and are compiled at each start; push them again")
            return None

    def _complain(self, rules: str, wanted: RulesInForce | None, faults: list[Fault] | list[str]) -> None:
        who = wanted.by if wanted else ""
        for fault in faults:
            log.error("rules %s, pushed by %s, are not used: %s", version_of(rules), ascii(who), fault)
        if self._tell:
            rest = "The functions go on with the rules from before."
            title = f"Rules {version_of(rules)} cannot be used"
            self._tell(f"rules-unusable-{rules}", refusal(title, who, faults, rest))
