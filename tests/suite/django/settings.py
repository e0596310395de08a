"""A shop that has moved over: PostgreSQL, Redis, mail, and the settings it had."""

import os
from pathlib import Path

from autoscale_settings import AUTOSCALE_SETTINGS

SECRET_KEY = "only for tests"
ALLOWED_HOSTS = ["127.0.0.1"]
INSTALLED_APPS = ["autoscaler_django"]
ROOT_URLCONF = "urls"
TIME_ZONE = "America/Vancouver"
USE_TZ = True
DATA = Path(os.environ["DATA"])
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "postgres",
        "USER": "postgres",
        "HOST": "127.0.0.1",
        "PORT": os.environ["POSTGRES_PORT"],
    }
}
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": os.environ["REDIS_URL"] + "1"}
}
ADMINS = [("Ann", "ann@example.com"), ("Bob", "bob@example.com")]
SERVER_EMAIL = "shop@example.com"
EMAIL_SUBJECT_PREFIX = "[Shop] "
EMAIL_HOST, EMAIL_PORT = "127.0.0.1", int(os.environ["SMTP_PORT"])
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = "mailer", "password-of-the-mailer"

# The example as it is, but for the place of the API and the patience of a test.
for pipeline in AUTOSCALE_SETTINGS.values():
    pipeline["SCALING"]["SETTINGS"]["API_URL"] = os.environ["FAKE_HEROKU"]
    pipeline["MEASUREMENT"].setdefault("SETTINGS", {})["MEASUREMENT_INTERVAL_IN_SECONDS"] = 0.1
    pipeline["DECISION"].setdefault("SETTINGS", {})["POST_SCALE_WAIT_TIME_SECONDS"] = 0.1
