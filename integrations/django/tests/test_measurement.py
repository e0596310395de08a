"""The measurement view: what it touches, who may ask, and what is said where something is broken."""

import json
import tempfile

import pytest
from django.core.cache import caches
from django.core.management import call_command
from django.db import connection
from django.test import Client, override_settings

from .conftest import ask

URL = "/heroku-autoscale/measurement/"


@pytest.fixture
def migrated():
    call_command("migrate", verbosity=0)
    yield
    connection.close()


@pytest.fixture
def client(migrated):
    return Client()


def cache(backend, **more):
    return override_settings(CACHES={"default": {"BACKEND": backend, **more}})


def test_it_answers_in_plain_text_and_is_never_cached(client):
    answer = client.get(URL)
    assert (answer.status_code, answer.content) == (200, b"Beat\n")
    assert answer["Content-Type"].startswith("text/plain")
    assert "no-store" in answer["Cache-Control"] and "no-cache" in answer["Cache-Control"]
    assert client.head(URL).status_code == 200
    assert client.post(URL).status_code == 405


def test_it_tells_its_timings_as_json(client):
    told = client.get(URL, HTTP_ACCEPT="application/json").json()
    assert set(told) == {"cache_ms", "database_ms", "disk_ms"}
    assert all(timing > 0 for timing in told.values())


def test_a_token_keeps_others_away(client):
    with override_settings(AUTOSCALER_TOKEN="of-the-worker"):
        for given in ({}, {"HTTP_AUTHORIZATION": "Bearer of-others"}, {"HTTP_AUTHORIZATION": "of-the-worker"},
                      {"HTTP_AUTHORIZATION": "Bearer \xe9"}):
            answer = client.get(URL, **given)
            assert (answer.status_code, answer.content) == (403, b"the token is missing or wrong\n"), given
        assert client.get(URL, HTTP_AUTHORIZATION="Bearer of-the-worker").status_code == 200


def test_a_cache_that_is_away_or_keeps_nothing_is_told(client):
    with cache("tests.broken.Away"):
        answer = client.get(URL)
        assert (answer.status_code, answer.content) == (500, b"the cache is broken: no route to the cache\n")
    with cache("tests.broken.Forgetful"):
        answer = client.get(URL)
        assert answer.content == b"the cache is broken: it does not keep what it is given\n"
        told = client.get(URL, HTTP_ACCEPT="application/json")
        assert told.status_code == 500 and told.json()["error"].startswith("the cache is broken")
    # A project without a cache has said so.
    with cache("django.core.cache.backends.dummy.DummyCache"):
        assert client.get(URL).status_code == 200


def test_the_cache_is_really_written_and_left_clean(client):
    with cache("tests.broken.Counting"):
        assert client.get(URL).status_code == 200
        counting = caches["default"]
        assert counting.told == ["set", "get", "delete"]


def test_the_database_is_really_asked(client, django_queries):
    assert client.get(URL).status_code == 200
    assert any("autoscaler_django_beat" in query for query in django_queries()), django_queries()


@pytest.fixture
def django_queries():
    asked = []

    def wrap(execute, sql, params, many, context):
        asked.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(wrap):
        yield lambda: asked


def test_a_database_that_is_away_is_told(migrated):
    def away(execute, sql, params, many, context):
        from django.db import OperationalError

        raise OperationalError("server closed the connection unexpectedly\n\tThis probably means …")

    with connection.execute_wrapper(away):
        answer = Client().get(URL)
    told = b"the database is broken: server closed the connection unexpectedly\n"
    assert (answer.status_code, answer.content) == (500, told)


def test_it_works_without_its_migration_also_in_a_transaction(client):
    call_command("migrate", "autoscaler_django", "zero", verbosity=0)
    for atomic in (False, True):
        connection.settings_dict["ATOMIC_REQUESTS"] = atomic
        try:
            assert client.get(URL).status_code == 200
        finally:
            connection.settings_dict["ATOMIC_REQUESTS"] = False


def test_a_disk_that_cannot_be_written_is_told(client, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere/at/all")
    answer = client.get(URL)
    assert answer.status_code == 500
    assert answer.content.startswith(b"the disk is broken: [Errno 2] No such file or directory"), answer.content


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
@pytest.mark.parametrize("server", ["wsgi", "asgi"])
def test_it_is_served_by_both_kinds_of_servers_on_both_databases(project, request, server, database):
    if database == "postgres":
        project.environment["APP_POSTGRES"] = request.getfixturevalue("postgres")
    project.manage("migrate", "autoscaler_django", "zero")
    url = project.serve(server) + URL
    assert ask(url)[0] == 200, "without its table"
    code, said = project.manage("migrate")
    assert code == 0, said
    status, headers, body = ask(url, Accept="application/json")
    assert status == 200 and set(json.loads(body)) == {"cache_ms", "database_ms", "disk_ms"}, body
    assert "no-store" in headers["Cache-Control"]


@pytest.mark.parametrize("url", ["/old/heroku-autoscale/measurement/", URL])
def test_the_old_name_has_its_urls_and_its_namespace(client, url):
    from django.urls import reverse

    assert client.get(url).status_code == 200
    assert reverse("heroku_web_autoscale:measurement") == "/old/heroku-autoscale/measurement/"
    assert reverse("autoscaler_django:measurement") == URL


def test_the_old_app_stands_alone(project):
    project.settings("INSTALLED_APPS = ['heroku_web_autoscale']")
    assert ask(project.serve("wsgi") + "/old/heroku-autoscale/measurement/")[::2] == (200, "Beat\n")
    code, said = project.manage("heroku_web_autoscaler", "--help")
    assert code == 0 and "AUTOSCALE_SETTINGS" in said, said
