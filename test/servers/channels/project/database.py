"""Tables and the two users."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command

USERS = ("alice", "bob")
PASSWORD = "correct-horse"


def prepare() -> None:
    is_new = not Path(settings.DATABASES["default"]["NAME"]).exists()
    call_command("migrate", run_syncdb=True, verbosity=0)
    if is_new:
        create_users()


def create_users() -> None:
    """The same ids every time, so that a token from before a reset means the same user afterwards."""
    users = get_user_model().objects
    users.all().delete()
    for number, name in enumerate(USERS, start=1):
        users.create_user(id=number, username=name, password=PASSWORD)
