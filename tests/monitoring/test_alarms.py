"""Alarms as they arrive: at a real webhook, in a real mailbox, in a real table."""

import base64
import logging
import socket
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import select, update

from mailbox_server import kill_while_it_sends, mailbox, webhook
from taxi_duration.errors import MonitoringError
from taxi_duration.monitoring.alarms import SENDING, TRIES, Alarm, raise_alarm, send_waiting
from taxi_duration.monitoring.database import connect
from taxi_duration.monitoring.tables import alarms
from taxi_duration.settings import Settings

pytestmark = pytest.mark.stack

ALARM = Alarm(kind="drift", subject="files trips of 2019-03", message="4 of 7 columns drifted.")
SENDER = f"""
from taxi_duration.monitoring.alarms import Alarm, raise_alarm
from taxi_duration.settings import load_settings
raise_alarm(load_settings(), {ALARM!r})
"""


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def told(settings: Settings, **ways: str) -> Settings:
    names = ("alarm_webhook_url", "alarm_smtp_url")
    secret = {name: SecretStr(value) for name, value in ways.items() if name in names}
    return settings.model_copy(update={**ways, **secret})


def kept(settings: Settings) -> list[dict[str, Any]]:
    with connect(settings) as connection:
        return [dict(row) for row in connection.execute(select(alarms)).mappings()]


def test_a_webhook_gets_all_that_is_known_and_a_text_to_show(database: Settings) -> None:
    with webhook() as hook:
        raise_alarm(told(database, alarm_webhook_url=hook.url), ALARM)
    [post] = hook.posts
    assert (post["kind"], post["subject"], post["drill"]) == ("drift", ALARM.subject, False)
    assert post["text"] == (
        "[taxi-duration] drift: files trips of 2019-03\n4 of 7 columns drifted."
    )
    [row] = kept(database)
    assert (row["sent_to"], row["problem"], row["message"]) == (["webhook"], None, ALARM.message)
    assert row["raised_at"].isoformat()[:19] == post["raised_at"][:19]


def test_a_mail_arrives_from_whom_and_at_whom_the_settings_say(database: Settings) -> None:
    with mailbox() as server:
        url = f"smtp://watch:pass%20word@127.0.0.1:{server.port}"
        way = {"alarm_smtp_url": url, "alarm_mail_to": "a@example.com, b@example.com"}
        raise_alarm(told(database, **way), ALARM)
    [mail] = server.mails
    assert mail["Subject"] == "[taxi-duration] drift: files trips of 2019-03"
    assert (mail["To"], mail["From"]) == (way["alarm_mail_to"], "taxi-duration@localhost")
    assert str(mail.get_payload()).strip() == ALARM.message
    assert base64.b64decode(server.credentials[0]) == b"\0watch\0pass word"
    assert kept(database)[0]["sent_to"] == ["mail"]


def test_what_was_told_is_not_told_again_but_every_drill_is(database: Settings) -> None:
    drill = Alarm(kind="drift", subject="drill trips", message="A drill.", drill=True)
    with webhook() as hook:
        settings = told(database, alarm_webhook_url=hook.url)
        for alarm in (ALARM, ALARM, drill, drill):
            raise_alarm(settings, alarm)
    assert [post["drill"] for post in hook.posts] == [False, True, True]
    assert hook.posts[1]["text"].startswith("[taxi-duration] DRILL: drift: drill trips")
    assert [row["drill"] for row in kept(database)] == [False, True, True]


def test_a_webhook_that_fails_once_is_tried_again(database: Settings) -> None:
    with webhook(503) as hook:
        raise_alarm(told(database, alarm_webhook_url=hook.url), ALARM)
    assert len(hook.posts) == 2
    [row] = kept(database)
    assert (row["sent_to"], row["problem"]) == (["webhook"], None)


def test_an_alarm_that_reached_nobody_is_sent_when_it_is_raised_again(database: Settings) -> None:
    with webhook(*[500] * TRIES) as hook:
        settings = told(database, alarm_webhook_url=hook.url)
        for _ in range(3):
            raise_alarm(settings, ALARM)
    assert len(hook.posts) == TRIES + 1
    assert [row["sent_to"] for row in kept(database)] == [[], ["webhook"]]


def test_what_reached_nobody_is_sent_later_once_and_where_it_is_kept(database: Settings) -> None:
    drill = Alarm(kind="drift", subject="drill trips", message="A drill.", drill=True)
    with webhook(*[500] * (4 * TRIES)) as hook:
        settings = told(database, alarm_webhook_url=hook.url)
        for alarm in (ALARM, ALARM, drill):
            raise_alarm(settings, alarm)
        with connect(database) as connection:
            first = connection.execute(select(alarms.c.id).order_by(alarms.c.id)).scalars().first()
        hook.failures.clear()
        for _ in range(2):
            send_waiting(settings)
    assert len(hook.posts) == 3 * TRIES + 1
    assert {row["id"]: row["sent_to"] for row in kept(database)}[first] == ["webhook"]
    assert [row["sent_to"] for row in kept(database)].count([]) == 2


def test_an_alarm_whose_sender_was_killed_is_sent_later(database: Settings) -> None:
    kill_while_it_sends(SENDER, database)
    with webhook() as hook:
        settings = told(database, alarm_webhook_url=hook.url)
        # It may be that nobody was killed, and that it is just being sent.
        send_waiting(settings)
        assert hook.posts == []
        with connect(database) as connection:
            connection.execute(update(alarms).values(raised_at=alarms.c.raised_at - SENDING))
        send_waiting(settings)
    assert [post["subject"] for post in hook.posts] == [ALARM.subject]
    assert [(row["sent_to"], row["problem"]) for row in kept(database)] == [(["webhook"], None)]


def test_a_way_that_fails_stops_neither_the_other_nor_the_run_and_keeps_its_secret(
    database: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    smtp = f"smtp://watch:hidden@127.0.0.1:{free_port()}"
    with webhook(*[500] * TRIES) as hook, caplog.at_level(logging.INFO):
        ways = {"alarm_smtp_url": smtp, "alarm_mail_to": "a@example.com"}
        raise_alarm(told(database, alarm_webhook_url=hook.url, **ways), ALARM)
    [row] = kept(database)
    assert row["sent_to"] == []
    assert "webhook: The webhook answered 500." in row["problem"]
    assert "mail: The mail server did not take the mail (ConnectionRefusedError)" in row["problem"]
    assert "hidden" not in caplog.text + row["problem"]
    assert "secret-path" not in caplog.text + row["problem"]


@pytest.mark.parametrize(
    ("ways", "problem"),
    [
        ({"alarm_smtp_url": "smtp://127.0.0.1:1"}, "Set TAXI_ALARM_MAIL_TO"),
        ({"alarm_smtp_url": "mail.example.com", "alarm_mail_to": "a@b.c"}, "TAXI_ALARM_SMTP_URL"),
        ({"alarm_webhook_url": "nowhere"}, "TAXI_ALARM_WEBHOOK_URL"),
    ],
)
def test_a_way_that_cannot_work_names_its_setting(
    database: Settings, ways: dict[str, str], problem: str
) -> None:
    raise_alarm(told(database, **ways), ALARM)
    assert problem in kept(database)[0]["problem"]


def test_without_any_way_the_alarm_is_kept_as_told_to_nobody(database: Settings) -> None:
    raise_alarm(database, ALARM)
    assert (kept(database)[0]["sent_to"], kept(database)[0]["problem"]) == ([], None)


def test_where_postgres_is_away_the_alarm_arrives_all_the_same(database: Settings) -> None:
    nowhere = SecretStr(f"postgresql+psycopg2://u:p@127.0.0.1:{free_port()}/taxi")
    with webhook() as hook:
        away = told(database, alarm_webhook_url=hook.url).model_copy(
            update={"database_url": nowhere}
        )
        with pytest.raises(MonitoringError):
            raise_alarm(away, ALARM)
    assert len(hook.posts) == 1
