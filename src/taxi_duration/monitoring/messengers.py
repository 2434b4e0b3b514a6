"""The ways in which an alarm reaches a person: a webhook, and mail."""

import smtplib
import ssl
from collections.abc import Callable
from email.message import EmailMessage
from typing import Any, Final
from urllib.parse import SplitResult, unquote, urlsplit

import httpx

from taxi_duration.errors import AlarmError
from taxi_duration.settings import Settings

# A person waits for an alarm, and a run for its end.
TIMEOUT_SECONDS: Final = 10
PORTS: Final = {"smtp": 25, "smtp+tls": 587, "smtps": 465}

# Takes a subject, a text, and all that is known, and raises AlarmError.
Messenger = Callable[[str, str, dict[str, Any]], None]


def messengers(settings: Settings) -> dict[str, Messenger]:
    """Those that the settings name, by name; none where none is named."""
    found: dict[str, Messenger] = {}
    if settings.alarm_webhook_url:
        url = settings.alarm_webhook_url.get_secret_value()
        found["webhook"] = lambda subject, text, facts: _post(url, subject, text, facts)
    if settings.alarm_smtp_url:
        server = settings.alarm_smtp_url.get_secret_value()
        found["mail"] = lambda subject, text, _: _mail(settings, server, subject, text)
    return found


def _post(url: str, subject: str, text: str, facts: dict[str, Any]) -> None:
    """Send JSON; `text` is the field that chat services show."""
    limit = {"timeout": httpx.Timeout(TIMEOUT_SECONDS).as_dict()}
    content = {**facts, "text": f"{subject}\n{text}"}
    # The address often is the secret: httpx's client would log it, and an error may hold it.
    try:
        with httpx.HTTPTransport() as transport:
            request = httpx.Request("POST", url, json=content, extensions=limit)
            answer = transport.handle_request(request)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise AlarmError(
            f"The webhook cannot be reached ({type(error).__name__}).",
            "TAXI_ALARM_WEBHOOK_URL names its address.",
        ) from error
    if not answer.is_success:
        raise AlarmError(f"The webhook answered {answer.status_code}.", "Look at its own log.")


def _mail(settings: Settings, server: str, subject: str, text: str) -> None:
    message = EmailMessage()
    message["Subject"] = " ".join(subject.split())
    message["From"] = settings.alarm_mail_from
    message["To"] = settings.alarm_mail_to or ""
    message.set_content(text)
    if not settings.alarm_mail_to:
        raise AlarmError("Nobody is named who gets the mail.", "Set TAXI_ALARM_MAIL_TO.")
    try:
        with _connected(urlsplit(server)) as connection:
            connection.send_message(message)
    except (OSError, smtplib.SMTPException, ValueError) as error:
        raise AlarmError(
            f"The mail server did not take the mail ({type(error).__name__}).",
            "TAXI_ALARM_SMTP_URL names it: smtp://user:password@host:port.",
        ) from error


def _connected(url: SplitResult) -> smtplib.SMTP:
    """A connection to the server, signed in where the address has a user."""
    host, port = url.hostname or "", url.port or PORTS.get(url.scheme, 0)
    if url.scheme not in PORTS or not host:
        raise ValueError("no address of a mail server")
    if url.scheme == "smtps":
        connection: smtplib.SMTP = smtplib.SMTP_SSL(
            host, port, timeout=TIMEOUT_SECONDS, context=ssl.create_default_context()
        )
    else:
        connection = smtplib.SMTP(host, port, timeout=TIMEOUT_SECONDS)
    try:
        if url.scheme == "smtp+tls":
            connection.starttls(context=ssl.create_default_context())
        if url.username:
            connection.login(unquote(url.username), unquote(url.password or ""))
    except BaseException:
        connection.close()
        raise
    return connection
