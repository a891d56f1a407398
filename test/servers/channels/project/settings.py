"""An ordinary small project with sessions and simplejwt; ``run.py`` says where its data is."""

from __future__ import annotations

import os
from pathlib import Path

from harness.process import signing_key

DATA = Path(os.environ["CHAT_DATA"])
SECRET_KEY = signing_key(DATA)
# With "*" AllowedHostsOriginValidator would allow every origin, and none.
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
ROOT_URLCONF = "project.urls"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "rest_framework",
    "rest_framework_simplejwt.token_blacklist",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    # Redirects `/api/token` to `/api/token/`, by which many a POST is lost in the field.
    "django.middleware.common.CommonMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": DATA / "db.sqlite3",
        "OPTIONS": {
            "timeout": 20,
            "transaction_mode": "IMMEDIATE",
            "init_command": "pragma journal_mode = wal; pragma synchronous = normal;",
        },
    }
}
# Tables straight from the models: a second instead of three for each server that a test starts.
MIGRATION_MODULES = dict.fromkeys(("auth", "contenttypes", "sessions", "token_blacklist"))
# Django's own hasher takes half a second for each sign-in, by design.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
REST_FRAMEWORK = {"DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework_simplejwt.authentication.JWTAuthentication"]}
SIMPLE_JWT = {"ROTATE_REFRESH_TOKENS": True, "BLACKLIST_AFTER_ROTATION": True}

# Python's logging was set up by run.py: everything to stderr, warnings and worse.
LOGGING_CONFIG = None
