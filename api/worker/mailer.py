"""Mail over SMTP, or as files where no mail server is set up."""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import unquote, urlsplit

from api.settings import Settings
from engine.domain.ports import Mailer

TIMEOUT_SECONDS = 10


def compose(sender: str, to: str, subject: str, body: str, message_id: str) -> EmailMessage:
    """A plain text message. The id is the letter's own, so that a repetition is recognised."""
    message = EmailMessage()
    message["From"] = sender
    message["To"] = to.replace("\n", " ").replace("\r", " ")
    message["Subject"] = " ".join(subject.split())
    message["Message-ID"] = message_id
    message.set_content(body)
    return message


class SmtpMailer:
    """``smtp://user:password@host:port`` or ``smtps://…``."""

    def __init__(self, url: str, sender: str) -> None:
        self._url, self._sender = urlsplit(url), sender

    def send(self, to: str, subject: str, body: str, message_id: str) -> None:
        message = compose(self._sender, to, subject, body, message_id)
        host, secure = self._url.hostname or "127.0.0.1", self._url.scheme == "smtps"
        port = self._url.port or (465 if secure else 25)
        if secure:
            context = ssl.create_default_context()
            with smtplib.SMTP_SSL(host, port, timeout=TIMEOUT_SECONDS, context=context) as server:
                self._deliver(server, message)
        else:
            with smtplib.SMTP(host, port, timeout=TIMEOUT_SECONDS) as server:
                self._deliver(server, message)

    def _deliver(self, server: smtplib.SMTP, message: EmailMessage) -> None:
        if self._url.username:
            server.login(unquote(self._url.username), unquote(self._url.password or ""))
        server.send_message(message)


class FileMailer:
    """Writes each message as a file, so that a trial installation sends nothing to anybody."""

    def __init__(self, folder: Path, sender: str) -> None:
        self._folder, self._sender = folder, sender

    def send(self, to: str, subject: str, body: str, message_id: str) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        name = "".join(c for c in message_id if c.isalnum() or c in "-_@.")
        message = compose(self._sender, to, subject, body, message_id)
        (self._folder / f"{name}.eml").write_bytes(message.as_bytes())


def mailer_for(settings: Settings) -> Mailer:
    if settings.smtp_url:
        return SmtpMailer(settings.smtp_url, settings.mail_from)
    return FileMailer(settings.data_dir / "outbox", settings.mail_from)
