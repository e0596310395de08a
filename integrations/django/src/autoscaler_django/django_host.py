"""The host that a Django project is: its ADMINS, its mail, its logging, its TIME_ZONE."""

import smtplib
from typing import Any

import django
from django.conf import settings
from django.core.mail import get_connection, mail_admins

from .host import Host, Undelivered

SMTP = "django.core.mail.backends.smtp.EmailBackend"

# A mail server gets so long where EMAIL_TIMEOUT does not say otherwise: less than the worker waits.
TIMEOUT_SECONDS = 20


def host() -> Host:
    """The host of the project whose settings are loaded."""
    return Host(
        program=f"Django {django.get_version()}",
        time_zone=settings.TIME_ZONE or None,
        mail_to=admins(),
        mail_through=through(),
        send_mail=send_mail,
    )


def admins() -> "list[str]":
    """The addresses of ADMINS: pairs of name and address, or addresses alone in newer versions."""
    return [admin if isinstance(admin, str) else str(admin[-1]) for admin in settings.ADMINS]


def through() -> str:
    """What mail goes through, for people."""
    if settings.EMAIL_BACKEND == SMTP:
        return f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT}"
    return str(settings.EMAIL_BACKEND)


def send_mail(subject: str, body: str) -> None:
    """Mails ADMINS as Django does: subject prefix, SERVER_EMAIL and every EMAIL_ setting are its own."""
    try:
        mail_admins(subject, body, **limited())
    except smtplib.SMTPResponseException as error:
        text = error.smtp_error.decode(errors="replace") if isinstance(error.smtp_error, bytes) else error.smtp_error
        raise Undelivered(f"the mail server {through()} answered {error.smtp_code}: {text}", error.smtp_code < 500)
    except smtplib.SMTPRecipientsRefused as error:
        raise Undelivered(f"the mail server {through()} refused {', '.join(error.recipients)}")
    except OSError as error:
        raise Undelivered(f"the mail server {through()}: {error}", again=True)
    except Exception as error:
        raise Undelivered(f"{through()}: {type(error).__name__}: {error}")


def limited() -> "dict[str, Any]":
    """A connection that does not wait for ever, where nothing says how long it may."""
    if hasattr(settings, "MAILERS") or settings.EMAIL_BACKEND != SMTP or settings.EMAIL_TIMEOUT is not None:
        return {}
    return {"connection": get_connection(timeout=TIMEOUT_SECONDS)}
