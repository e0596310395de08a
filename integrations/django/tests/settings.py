"""The smallest project with the app in it: where its data are comes from the environment."""

import os
from pathlib import Path
from typing import Any

DATA = Path(os.environ.get("APP_DATA", "."))
SECRET_KEY = "only for tests"
ALLOWED_HOSTS = ["*"]
INSTALLED_APPS = ["autoscaler_django"]
MIDDLEWARE = ["autoscaler_django.middleware.QueueTime", "django.middleware.common.CommonMiddleware"]
ROOT_URLCONF = "tests.urls"
USE_TZ = True
TIME_ZONE = "America/Vancouver"
DATABASES: "dict[str, dict[str, Any]]" = {
    "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": DATA / "db.sqlite3"}
}
if os.environ.get("APP_POSTGRES"):
    host, port = os.environ["APP_POSTGRES"].split(":")
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": "postgres", "USER": "postgres", "HOST": host, "PORT": port,
        }
    }
ADMINS = [("Ops", "ops@example.com")]
SERVER_EMAIL = "shop@example.com"
EMAIL_SUBJECT_PREFIX = "[Shop] "
if os.environ.get("APP_SMTP"):
    EMAIL_HOST, EMAIL_PORT = "127.0.0.1", int(os.environ["APP_SMTP"])
    EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = "mailer", os.environ["APP_SMTP_PASSWORD"]
