"""Votes: cast once, never changed, taken back at most."""

from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future
from sqlite3 import Connection, Row

from codette_desktop.domain.errors import InvalidRequest, StoreError
from codette_desktop.domain.votes import Preference, Source, Tally, Vote, VoteFilter
from codette_desktop.store import contestants, duels, experiments, tally, vote_import, vote_rows, vote_texts
from codette_desktop.store.access import Access, now_text
from codette_desktop.store.audit import Audit, AuditKind, Note
from codette_desktop.store.vote_texts import VoteTexts

_ALL = VoteFilter()
_AT_ONCE = 1_000


class Votes:
    """Reads answer at once from any thread and raise StoreError; writes return futures that are done after COMMIT.

    Every write stands in the audit trail, in the same transaction.
    """

    def __init__(self, access: Access, audit: Audit) -> None:
        self._access = access
        self._audit = audit

    def cast(self, vote: Vote) -> "Future[Vote]":
        """Keep a vote, its contestants too; a fresh identity where it has none.

        A duel is then voted on: a second vote on it fails with StoreError until the first is taken back. A thumb, or
        a choice between two columns of a comparison, takes the former one on the same answers back. Fails with
        InvalidRequest for a preference that does not fit the number of answers.
        """

        def work(connection: Connection, note: Note) -> Vote:
            _check(vote)
            if vote.duel_id:
                _close_duel(connection, vote)
            for vote_id in _former(connection, vote):
                _take_back(connection, note, vote_id)
            return _add(connection, note, vote)

        return self._audit.write(work)

    def import_(self, votes: Callable[[], Iterable[Vote]], file_hash: str) -> "Future[int]":
        """Keep the votes of a file, all or none, but for those that are kept already; gives how many are new. Fails
        with InvalidRequest where the file was read before.

        `votes` is called on the writer's thread, and once more should the transaction be lost; what it raises comes
        through the future. `file_hash` is the SHA-256 of the file. The trail has one entry for all of them.
        """
        return self._audit.write(lambda connection, note: vote_import.import_(connection, note, votes(), file_hash))

    def take_back(self, vote_id: str, *, names_seen: bool = True) -> "Future[Vote]":
        """It stays, and counts for nothing. Its duel may be voted on again, and is blind no more if `names_seen`. An
        experiment whose rule had ended it goes on.

        Fails with StoreError where there is no such vote or it was taken back before.
        """

        def work(connection: Connection, note: Note) -> Vote:
            row = _row(connection, vote_id)
            if row["taken_back_at"] is not None:
                raise StoreError("This vote has been taken back already.")
            if row["duel_id"]:
                sql = "UPDATE duels SET voted = 0, names_seen = max(names_seen, ?) WHERE conversation_id = ?"
                connection.execute(sql, (names_seen, row["duel_id"]))
            _take_back(connection, note, vote_id)
            if row["experiment_id"]:
                experiments.go_on(connection, note, row["experiment_id"])
            return vote_rows.votes(connection, [_row(connection, vote_id)])[0]

        return self._audit.write(work)

    def list(self, wanted: VoteFilter = _ALL, limit: int = 200, offset: int = 0) -> "list[Vote]":
        """The newest first, those taken back among them unless the filter says `blind`."""
        condition, values = vote_rows.where(wanted)
        sql = f"SELECT * FROM votes WHERE {condition} ORDER BY cast_at DESC, seq DESC LIMIT ? OFFSET ?"
        with self._access.read() as connection:
            return vote_rows.votes(connection, connection.execute(sql, (*values, limit, offset)).fetchall())

    def each(self, wanted: VoteFilter = _ALL) -> "Generator[Vote]":
        """All of them, the oldest first, a thousand in memory at a time; of one state of the database."""
        condition, values = vote_rows.where(wanted)
        sql = f"SELECT * FROM votes WHERE {condition} ORDER BY cast_at, seq"
        with self._access.read() as connection:
            cursor = connection.execute(sql, values)
            while found := cursor.fetchmany(_AT_ONCE):
                yield from vote_rows.votes(connection, found)

    def get(self, vote_id: str) -> Vote | None:
        """One of them."""
        with self._access.read() as connection:
            found = connection.execute("SELECT * FROM votes WHERE id = ?", (vote_id,)).fetchall()
            return vote_rows.votes(connection, found)[0] if found else None

    def count(self, wanted: VoteFilter = _ALL) -> int:
        """How many there are."""
        condition, values = vote_rows.where(wanted)
        with self._access.read() as connection:
            return connection.execute(f"SELECT count(*) FROM votes WHERE {condition}", values).fetchone()[0]

    def tally(self, wanted: VoteFilter = _ALL, *, style: bool = False) -> Tally:
        """Those that count, as columns, and how many do not; `style` for the differences in style too."""
        with self._access.read() as connection:
            return tally.tally(connection, wanted, style=style)

    def replaced_by(self, vote: Vote) -> "list[Vote]":
        """Those that `cast` would take back for it: a former thumb, a former choice between the same two columns."""
        with self._access.read() as connection:
            return vote_rows.votes(connection, [_row(connection, item) for item in _former(connection, vote)])

    def of_node(self, node_id: str) -> Vote | None:
        """The thumb that stands on an answer of a chat."""
        sql = """SELECT * FROM votes WHERE left_node = ? AND left_node <> '' AND source = 'thumb'
            AND taken_back_at IS NULL ORDER BY seq DESC LIMIT 1"""
        with self._access.read() as connection:
            found = connection.execute(sql, (node_id,)).fetchall()
            return vote_rows.votes(connection, found)[0] if found else None

    def of_duel(self, duel_id: str) -> Vote | None:
        """The vote that stands on a duel."""
        sql = """SELECT * FROM votes WHERE duel_id = ? AND duel_id <> '' AND taken_back_at IS NULL
            ORDER BY seq DESC LIMIT 1"""
        with self._access.read() as connection:
            found = connection.execute(sql, (duel_id,)).fetchall()
            return vote_rows.votes(connection, found)[0] if found else None

    def texts(self, vote: Vote) -> VoteTexts:
        """What was asked, with all that was said before and the system prompt, and both answers.

        What was deleted is not given, whether it has been removed already or could still be restored.
        """
        with self._access.read() as connection:
            return vote_texts.texts(connection, vote)


def _add(connection: Connection, note: Note, vote: Vote) -> Vote:
    """Insert a vote and what it stands on, with its entry in the audit trail; gives it as it is kept."""
    sides = [side.contestant for side in (vote.left, vote.right) if side]
    left, right = [*(contestants.put(connection, item, note) for item in sides), None][:2]
    columns = vote_rows.values(vote)
    vote_rows.insert(connection, columns, left or 0, right)
    row = connection.execute("SELECT * FROM votes WHERE id = ?", (columns["id"],)).fetchone()
    kept = vote_rows.votes(connection, [row])[0]
    right_key = kept.right.contestant.key if kept.right else None
    note(AuditKind.VOTE, kept.id, vote_rows.payload(row, kept.left.contestant.key, right_key))
    return kept


def _check(vote: Vote) -> None:
    alone = vote.preference in (Preference.UP, Preference.DOWN)
    if alone != (vote.right is None):
        raise InvalidRequest("Thumbs are given to one answer, every other vote to two.")
    if vote.right is not None and vote.left.contestant.key == vote.right.contestant.key:
        raise InvalidRequest("A vote is between two different contestants.")


def _close_duel(connection: Connection, vote: Vote) -> None:
    row = duels.row(connection, vote.duel_id)
    ended = connection.execute("SELECT ending FROM experiments WHERE id = ?", (row["experiment_id"],)).fetchone()
    if ended is None or ended["ending"] is not None:
        raise StoreError("This experiment has ended.", "Its verdict stands.")
    if row["voted"]:
        raise StoreError("This duel has been voted on already.", "Take that vote back first.")
    sides = contestants.by_id(connection, (row["left_contestant"], row["right_contestant"]))
    given = [side.contestant.key for side in (vote.left, vote.right) if side]
    if [side.key for side in sides] != given:
        raise StoreError("This vote is not about those who answered in this duel.")
    connection.execute("UPDATE duels SET voted = 1 WHERE conversation_id = ?", (vote.duel_id,))


def _former(connection: Connection, vote: Vote) -> list[str]:
    """The vote on the same answers, where a new one stands in its place."""
    nodes = vote.left.node_id, vote.right.node_id if vote.right else ""
    if vote.source not in (Source.THUMB, Source.COMPARE) or not nodes[0]:
        return []
    sql = """SELECT id FROM votes WHERE left_node = ? AND left_node <> '' AND right_node = ? AND source = ?
        AND taken_back_at IS NULL"""
    orders = {nodes, nodes[::-1]}
    return [row["id"] for order in orders for row in connection.execute(sql, (*order, vote.source.value)).fetchall()]


def _take_back(connection: Connection, note: Note, vote_id: str) -> None:
    now = now_text()
    connection.execute("UPDATE votes SET taken_back_at = ? WHERE id = ?", (now, vote_id))
    note(AuditKind.TAKEN_BACK, vote_id, {"at": now})


def _row(connection: Connection, vote_id: str) -> Row:
    row = connection.execute("SELECT * FROM votes WHERE id = ?", (vote_id,)).fetchone()
    if row is None:
        raise StoreError("There is no such vote.")
    return row
