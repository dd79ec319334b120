"""Votes of a table: arena-rank's three columns, and ours where it has them. Mistakes name their line."""

import csv
import hashlib
import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn, TypeVar, cast

from codette_desktop.domain.errors import InvalidRequest
from codette_desktop.domain.votes import Contestant, Exclusion, GivenAnswer, Preference, Source, Style, Vote
from codette_desktop.rating.columns import REQUIRED, STYLE, WINNERS
from codette_desktop.rating.files import unguarded

T = TypeVar("T")
_PREFERENCES = {name: preference for preference, name in WINNERS.items()} | {
    "tie (bothbad)": Preference.BOTH_BAD,
    "bothbad": Preference.BOTH_BAD,
}
_LONGEST_CELL = 1 << 20  # characters
_LONGEST_NAME = 1_000
_LARGEST = 2**63 - 1
_DELIMITERS = ",;\t"
_BLOCK_BYTES = 1 << 20


def file_hash(path: Path) -> str:
    """The SHA-256 of a file; raises InvalidRequest where it cannot be read."""
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK_BYTES):
                digest.update(block)
    except OSError as error:
        raise _unreadable(path, error) from None
    return digest.hexdigest()


def contestant(name: str) -> Contestant:
    """Who is called that in a table: known by nothing but the name."""
    return Contestant(hashlib.sha256(f"imported:{name}".encode("utf-8", "surrogatepass")).hexdigest(), name)


def read(path: Path, now: datetime | None = None) -> Iterator[Vote]:
    """The votes of a table one by one; raises InvalidRequest for the first that is wrong.

    Those that had been taken back are left out. A vote without a moment was cast `now`, in the order of the file.
    """
    number = 1
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            heading = file.readline(_LONGEST_CELL)
            file.seek(0)
            rows = csv.reader(file, delimiter=_delimiter(heading), strict=True)
            csv.field_size_limit(_LONGEST_CELL)
            table = _Table(path.name, _columns(path.name, next(rows, list[str]())), now or datetime.now(UTC))
            number = rows.line_num + 1
            for row in rows:
                vote = table.vote(number, row)
                number = rows.line_num + 1
                if vote is not None:
                    yield vote
    except UnicodeDecodeError:
        what = f"{path.name}, line {_spoilt_line(path):,} is not UTF-8 text."
        raise InvalidRequest(what, 'Save it as "CSV UTF-8".') from None
    except csv.Error as error:
        raise InvalidRequest(f"{path.name}, line {number:,} is no CSV: {error}.", "Check its quotes.") from None
    except OSError as error:
        raise _unreadable(path, error) from None


def _spoilt_line(path: Path) -> int:
    """The first line that is no UTF-8: the reader finds it blocks ahead of where it is."""
    with path.open("rb") as file:
        for number, line in enumerate(iter(lambda: file.readline(_LONGEST_CELL), b""), 1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError:
                return number
    return 1


def _delimiter(heading: str) -> str:
    return max(_DELIMITERS, key=lambda item: (heading.count(item), -_DELIMITERS.index(item)))


def _columns(name: str, heading: list[str]) -> list[str]:
    found = [unguarded(cell).strip() for cell in heading]
    if not found:
        raise InvalidRequest(f"{name} is empty.", f"Its first row must name the columns {', '.join(REQUIRED)}.")
    missing = [column for column in REQUIRED if column not in found]
    if missing:
        what = f"{name} has no column {', '.join(missing)}."
        raise InvalidRequest(what, f"Its first row must name the columns {', '.join(REQUIRED)}.")
    twice = next((column for column in found if column and found.count(column) > 1), None)
    if twice is not None:
        raise InvalidRequest(f"{name} has the column {twice} twice.", "Leave one of them out.")
    return found


@dataclass(slots=True)
class _Table:
    """The rows of one file; `count` of them have become votes."""

    name: str
    columns: list[str]
    now: datetime
    count: int = 0
    known: dict[str, Contestant] = field(default_factory=dict[str, Contestant])

    def vote(self, line: int, row: list[str]) -> Vote | None:
        """The vote of a row; None for an empty line, and for one that had been taken back."""
        if not row:
            return None
        if len(row) != len(self.columns):
            what = f"has {len(row)} cells where the first row has {len(self.columns)}"
            raise InvalidRequest(f"{self.name}, line {line:,} {what}.", "Check its quotes.")
        cells = _Cells(self.name, line, dict(zip(self.columns, map(unguarded, row), strict=True)))
        if cells.text("taken_back_at"):
            return None
        self.count += 1
        left, right = (self._side(cells, side) for side in "ab")
        if left.contestant.key == right.contestant.key:
            cells.refuse(f"has {left.contestant.label!r} on both sides")
        return Vote(
            id="",
            cast_at=cells.moment("cast_at") or self.now + timedelta(microseconds=self.count),
            source=Source.IMPORTED,
            preference=cells.one_of("winner", _PREFERENCES.__getitem__, str.lower),
            left=left,
            right=right,
            exclusion=cells.one_of("exclusion", Exclusion),
            prompt_hash=cells.text("prompt_hash"),
            task=cells.text("task") or "general",
            tags=cells.texts("tags"),
            leaks=cells.texts("leaks"),
            seconds=cells.number("seconds"),
            seed=cells.whole("seed"),
            swapped=cells.one_of("swapped", _truth, str.lower),
        )

    def _side(self, cells: "_Cells", side: str) -> GivenAnswer:
        name = cells.text(f"model_{side}")
        if name not in self.known:
            if not name.strip():
                cells.refuse(f"has no name in model_{side}")
            if len(name) > _LONGEST_NAME:
                cells.refuse(f"has a name of more than {_LONGEST_NAME:,} characters in model_{side}")
            self.known[name] = contestant(name)
        style = {item: cells.count(f"{item}_{side}") for item in STYLE if f"{item}_{side}" in cells.values}
        return GivenAnswer(
            contestant=self.known[name],
            message_hash=cells.text(f"answer_hash_{side}"),
            seed=cells.whole(f"seed_{side}"),
            engine_build=cells.text(f"engine_build_{side}"),
            device=cells.text(f"device_{side}"),
            style=Style(**style),
        )


@dataclass(slots=True)
class _Cells:
    """One row by its columns. A column that the table does not have is empty."""

    name: str
    line: int
    values: dict[str, str]

    def refuse(self, what: str) -> NoReturn:
        """Raise InvalidRequest for this line."""
        raise InvalidRequest(f"{self.name}, line {self.line:,} {what}.", "Nothing was imported. Mend the file first.")

    def text(self, column: str) -> str:
        """As it stands there."""
        return self.values.get(column, "")

    def one_of(self, column: str, choose: Callable[[str], T], tidy: Callable[[str], str] = str) -> T:
        """One of the words that are known."""
        found = self.text(column).strip()
        try:
            return choose(tidy(found))
        except (KeyError, ValueError):
            self.refuse(f"has {found[:40]!r} in {column}, which says nothing here")

    def moment(self, column: str) -> datetime | None:
        """ISO 8601; without a zone it is UTC."""
        found = self.text(column).strip()
        if not found:
            return None
        try:
            moment = datetime.fromisoformat(found)
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, OverflowError):
            self.refuse(f"has no time in {column}")

    def whole(self, column: str) -> int | None:
        """A whole number that can be kept."""
        found = self.text(column).strip()
        if not found:
            return None
        try:
            number = int(found)
        except ValueError:
            self.refuse(f"has no whole number in {column}")
        if abs(number) > _LARGEST:
            self.refuse(f"has a number in {column} that is too large")
        return number

    def count(self, column: str) -> int:
        """A whole number that is not negative; 0 where there is none."""
        number = self.whole(column) or 0
        if number < 0:
            self.refuse(f"has a negative number in {column}")
        return number

    def number(self, column: str) -> float | None:
        """A finite number."""
        found = self.text(column).strip()
        if not found:
            return None
        try:
            number = float(found)
        except ValueError:
            self.refuse(f"has no number in {column}")
        if not math.isfinite(number):
            self.refuse(f"has no finite number in {column}")
        return number

    def texts(self, column: str) -> tuple[str, ...]:
        """A JSON list of strings."""
        found = self.text(column)
        if not found:
            return ()
        try:
            listed: Any = json.loads(found)
        except ValueError:
            self.refuse(f"has no list in {column}")
        items = cast("list[Any]", listed) if isinstance(listed, list) else [None]
        if not all(isinstance(item, str) for item in items):
            self.refuse(f"has no list of words in {column}")
        return tuple(map(str, items))


def _truth(word: str) -> bool:
    return {"": False, "false": False, "0": False, "true": True, "1": True}[word]


def _unreadable(path: Path, error: OSError) -> InvalidRequest:
    return InvalidRequest(f"{path} cannot be read: {error.strerror or error}.", "Check the path.")
