"""What the studio works on: the files of a rules folder, one of them edited and not yet saved, and what becomes of articles."""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tocsin import artefact
from tocsin.adapters import kept
from tocsin.article import Article
from tocsin.cli.crowd import Heard
from tocsin.cli.diff import Case, Changes, cases_of, differences, extent
from tocsin.cli.faults import failed_tests, faults_of
from tocsin.cli.new import REFERENCE, among, drafted, enough, free
from tocsin.difference import Change, compare
from tocsin.drafting import Answers, guessed
from tocsin.errors import Fault, InputFault, RuleFaults
from tocsin.hearing import Hearing, hear
from tocsin.rehearsal import in_order
from tocsin.rulefiles import paths_of
from tocsin.rules import Loaded, Shelf, load
from tocsin.trial import Outcome, run

NAMED = re.compile(r"[a-z0-9]+(?:[-_][a-z0-9]+)*\.yaml")
"""What the file of a new rule may be called."""


class Stale(InputFault):
    """A file that somebody else has changed since it was opened."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A file of the rules folder as it stands in the editor. `base` is the digest of the text it began with; of a new rule empty."""

    file: str
    text: str
    base: str


@dataclass(frozen=True, slots=True)
class Both:
    """What becomes of an article by the rules as saved, and by the draft: the same where the draft has a fault."""

    saved: Hearing
    drafted: Hearing
    changes: Sequence[Change]


class Desk:
    """The folder, read anew whenever a file of it has changed."""

    def __init__(self, rules: Path, archive: Sequence[Article] = ()) -> None:
        self.rules = rules.resolve()
        self.archive = archive
        self._shelf = Shelf()
        self._heard = Heard()
        self._saved: tuple[str | None, Loaded] | None = None
        self._drafted: tuple[object, Loaded] | None = None

    def files(self) -> dict[str, Path]:
        """The files that may be opened and saved: `NAME.yaml`, `lists/NAME.yaml`, `cues/NAME.yaml`. None lies outside the folder."""
        return {
            name: path
            for name, path in paths_of(self.rules).items()
            if path.is_file() and path.resolve().is_relative_to(self.rules)
        }

    def open(self, file: str) -> Draft:
        """A file as it is saved."""
        text = self._read(file)
        return Draft(file, text, digest(text))

    def _read(self, file: str) -> str:
        path = self.files().get(file)
        if path is None:
            raise InputFault("is no file of the rules folder", file, f"choose one of those in {self.rules}")
        try:
            return path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
        except (OSError, UnicodeDecodeError) as error:
            raise InputFault(f"cannot be read: {error}", file, "`tocsin check` says more") from error

    def new(self, asked: Mapping[str, str]) -> Draft:
        """A rule that is not saved yet, out of what `tocsin new` asks for: one sentence a line, words divided by commas."""
        name = free(asked.get("name", "").strip(), self.rules)
        title = asked.get("title", "").strip() or name.replace("-", " ").capitalize()
        fires, silent = (_split(asked.get(kind, ""), "\n") for kind in ("fires", "silent"))
        enough(name, fires, silent)
        known = self.saved().rule_set
        actors = among(_split(asked.get("actors", ""), ",") or ("states",), known)
        verbs, nouns = guessed(known, fires)
        does = _split(asked.get("does", ""), ",") or tuple(verbs)
        things = _split(asked.get("things", ""), ",") or tuple(nouns)
        if not (does and things):
            what = f"no {'noun' if does else 'verb'} was found in the sentences that must fire"
            raise InputFault(what, name, f"say {'what it is done to' if does else 'what is done'}")
        about = asked.get("about", "").strip() or title
        answers = Answers(name, title, about, fires, silent, actors, does, things, REFERENCE)
        return Draft(f"{name}.yaml", drafted(self.rules, answers)[0], "")

    def _is_new(self, draft: Draft) -> bool:
        """Whether a draft is of a rule that is not saved yet."""
        return not draft.base and bool(NAMED.fullmatch(draft.file)) and not (self.rules / draft.file).exists()

    def saved(self) -> Loaded:
        """The rules as they are saved."""
        key = artefact.key(self.rules)
        if self._saved is None or key is None or self._saved[0] != key:
            self._saved = (key, self._loaded())
        return self._saved[1]

    def _loaded(self) -> Loaded:
        loaded = load(self.rules, self._shelf)
        if not loaded.models:
            raise RuleFaults(loaded.faults)
        return loaded

    def drafted(self, draft: Draft) -> Loaded:
        """The rules with the draft in the place of its file."""
        if not self._is_new(draft) and draft.text == self._read(draft.file):
            return self.saved()
        key = (artefact.key(self.rules), draft.file, draft.text)
        if self._drafted is None or self._drafted[0] != key:
            with self._copied(draft) as folder:
                self._drafted = (key, load(folder, self._shelf))
        return self._drafted[1]

    @contextmanager
    def _copied(self, draft: Draft) -> Iterator[Path]:
        """A folder of the same name that holds the draft, and the other files as they are."""
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place) / self.rules.name
            for file, path in self.files().items():
                copy = folder / file
                copy.parent.mkdir(parents=True, exist_ok=True)
                if file == draft.file:
                    copy.write_text(draft.text, encoding="utf-8", errors="surrogatepass")
                else:
                    copy.symlink_to(path.resolve())
            if self._is_new(draft):
                (folder / draft.file).write_text(draft.text, encoding="utf-8", errors="surrogatepass")
            yield folder

    def faults(self, draft: Draft) -> list[Fault]:
        """Why the draft cannot be used: the faults of its file, and those it causes in others."""
        return self._caused(draft, self.drafted(draft).faults, self.saved().faults)

    def _caused(self, draft: Draft, faults: Sequence[Fault], before: Sequence[Fault]) -> list[Fault]:
        """The faults of the draft's file, and of others those that they do not have as it is saved."""
        known = {(fault.file, fault.what) for fault in before}
        own = f"{self.rules.name}/{draft.file}"
        return [fault for fault in faults if fault.file == own or (fault.file, fault.what) not in known]

    def tests(self, draft: Draft) -> list[Outcome]:
        """How the tests at the bottom of the draft come out."""
        loaded, name = self.drafted(draft), draft.file.removesuffix(".yaml")
        self._heard.turn(loaded.rule_set)
        return list(run(loaded.rule_set, loaded.models[name], self._heard.seek)) if name in loaded.models else []

    def hear(self, draft: Draft, article: Article) -> Both:
        """What becomes of an article, before the edit and after it."""
        now = datetime.now(UTC)
        saved, drafted = self.saved(), self.drafted(draft)
        before = hear(saved.rule_set, article, now)
        after = before if drafted is saved or self.faults(draft) else hear(drafted.rule_set, article, now)
        return Both(before, after, compare(before.ended, after.ended))

    def differences(self, draft: Draft, article: Article | None) -> tuple[Changes, str]:
        """The edit in alerts: over the seeds, the inline tests of all rules, the archive, and the article on the page."""
        before, after = self.saved(), self.drafted(draft)
        heard = [*self.archive, *([article] if article else [])]
        cases = cases_of([after, before])[0]
        if heard:
            cases.append(Case("archive", *in_order(heard, datetime.now(UTC))))
        return differences(before, after, cases, jobs=1), extent(cases)

    def save(self, draft: Draft) -> list[Fault]:
        """Writes the draft if everything checks; else nothing is written, and these are the faults. `Stale`: the file has changed meanwhile."""
        new = self._is_new(draft)
        if not new and digest(self._read(draft.file)) != draft.base:
            what = "was changed by somebody else since you opened it"
            raise Stale(what, draft.file, "copy your text, open the file anew, and put it in there")
        if faults := self._checked(draft):
            return faults
        path = self.rules / draft.file if new else self.files()[draft.file].resolve()
        kept.write(path, draft.text.encode())
        return []

    def _checked(self, draft: Draft) -> list[Fault]:
        """Every fault `tocsin check` would tell of the draft, failing tests too."""
        loaded = self.drafted(draft)
        with self._copied(draft) as folder:
            found = [*faults_of(folder, loaded), *failed_tests(loaded, self._heard)]
        faults = self._caused(draft, found, ())
        if not faults or all(fault.file == f"{self.rules.name}/{draft.file}" for fault in faults):
            return sorted(faults)
        saved = self.saved()
        return sorted(self._caused(draft, found, [*faults_of(self.rules, saved), *failed_tests(saved, self._heard)]))


def _split(text: str, at: str) -> tuple[str, ...]:
    """The parts of what was written into a field."""
    return tuple(part for one in text.replace("\r", "").split(at) if (part := one.strip()))


def digest(text: str) -> str:
    """By which a text is known again."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
