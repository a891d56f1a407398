"""Users and refresh tokens, in one SQLite file that survives a killed process."""

from __future__ import annotations

import hashlib
import secrets
import sqlite3
from pathlib import Path

USERS = ("alice", "bob")
PASSWORD = "correct-horse"

SCHEMA = """
create table if not exists users (name text primary key, salt blob not null, hash blob not null);
create table if not exists refresh_tokens (
    digest blob primary key, user text not null, family text not null, used integer not null default 0
);
"""


class Accounts:
    """Synchronous on the event loop on purpose: a query takes microseconds, and each call is one
    uninterrupted step, so that two requests never rotate the same refresh token."""

    def __init__(self, path: Path) -> None:
        is_new = not path.exists()
        self._db = sqlite3.connect(path, isolation_level=None)
        self._db.execute("pragma journal_mode = wal")
        self._db.executescript(SCHEMA)
        if is_new:
            self.reset()

    def reset(self) -> None:
        self._db.execute("delete from users")
        self._db.execute("delete from refresh_tokens")
        for name in USERS:
            salt = secrets.token_bytes(16)
            self._db.execute("insert into users values (?, ?, ?)", (name, salt, _hash(PASSWORD, salt)))

    def exists(self, name: str) -> bool:
        return self._db.execute("select 1 from users where name = ?", (name,)).fetchone() is not None

    def authenticate(self, name: str, password: str) -> bool:
        row = self._db.execute("select salt, hash from users where name = ?", (name,)).fetchone()
        return row is not None and secrets.compare_digest(_hash(password, row[0]), row[1])

    def delete(self, name: str) -> None:
        self._db.execute("delete from users where name = ?", (name,))

    def issue_refresh_token(self, user: str, family: str | None = None) -> str:
        """``family``: the chain of rotations that began with one sign-in."""
        token = secrets.token_urlsafe(32)
        values = (_digest(token), user, family or secrets.token_hex(8))
        self._db.execute("insert into refresh_tokens (digest, user, family) values (?, ?, ?)", values)
        return token

    def rotate(self, token: str) -> tuple[str, str] | None:
        """The owner and the next refresh token. A token that comes a second time was copied by
        somebody, and nobody can tell who is the thief: the whole family ends (RFC 9700 section 4.14.2)."""
        query = "select user, family, used from refresh_tokens where digest = ?"
        row = self._db.execute(query, (_digest(token),)).fetchone()
        if row is None:
            return None
        user, family, used = row
        if used:
            self._db.execute("delete from refresh_tokens where family = ?", (family,))
            return None
        if not self.exists(user):
            return None
        self._db.execute("update refresh_tokens set used = 1 where digest = ?", (_digest(token),))
        return user, self.issue_refresh_token(user, family)

    def owner(self, token: str) -> str | None:
        query = "select user from refresh_tokens where digest = ?"
        row = self._db.execute(query, (_digest(token),)).fetchone()
        return row[0] if row else None

    def revoke_family(self, token: str) -> None:
        family = "(select family from refresh_tokens where digest = ?)"
        self._db.execute(f"delete from refresh_tokens where family = {family}", (_digest(token),))


def _hash(password: str, salt: bytes) -> bytes:
    """Few rounds: the password is in this file, and tests sign in all the time."""
    return hashlib.pbkdf2_hmac("sha256", password.encode(), salt, 1000)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
