"""Orders reach the tables, whether somebody holds the database or not."""

import json
import os
import subprocess
import sys
import threading
import time

import pytest

from edge import ordering
from edge.collecting import lock_of
from edge.ordering import begin, desk, leave, new_order, office
from edge.requests import Request, put
from edge.store.lock import Lock
from sync.fleet.database import Database, DatabaseError, file_of
from sync.fleet.folder import RepositoryError
from sync.fleet.order import OrderRefused
from sync.fleet.repository import Repository
from tests.conftest import SOAK
from tests.sync.fleet.ceremonies import push_body
from tests.sync.fleet.conftest import database_url  # noqa: F401
from tests.sync.fleet.depot import bundle

STRIDE = 1 if SOAK else 7
"""Every step, or every seventh."""


@pytest.fixture
def folder(tmp_path):
    return Repository.create(tmp_path / "repo").folder.path


@pytest.fixture
def url(tmp_path, folder):
    made = f"sqlite:///{tmp_path}/fleet.db"
    begin(folder, made)
    return made


def push(opened, parcel=None, rollout="r1"):
    parcel = parcel or bundle()
    body = push_body(parcel, rollout=rollout) | opened.listing(parcel.as_file())
    return new_order("push", "ann", body)


class Serve:
    """The part of `fleet serve` that looks for orders, in a thread, with its lock."""

    def __init__(self, folder, url):
        self.database = Database(url)
        self.desk = desk(Repository(folder), self.database)
        with self.database.transaction() as connection:
            Repository(folder).renew(connection)
        self.lock = Lock(lock_of(file_of(url)), "edge-inspect fleet serve")
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while not self.over.is_set():
            self.desk.step(time.monotonic())
            self.over.wait(0.01)
        self.database.close()

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()
        self.lock.release()


def rollouts(url):
    import sqlalchemy as sa

    from sync.fleet.rollout_tables import rollouts as table

    database = Database(url)
    with database.transaction() as connection:
        found = {row.id: row.state for row in connection.execute(sa.select(table))}
    database.close()
    return found


def test_nobody_holds_the_database(folder, database_url):  # noqa: F811
    begin(folder, database_url)
    with office(folder, database_url) as opened:
        assert opened.held is None
        assert opened.give(push(opened), bundle().data)["state"] == "running"
        assert opened.listing(bundle().as_file()) == {}
        assert opened.give(new_order("pause", "bob", {"rollout": "r1"}))["state"] == "paused"
    assert rollouts(database_url) == {"r1": "paused"}
    assert list((folder / "requests").iterdir()) == []


def test_serve_holds_it_and_applies_the_order(folder, url):
    with Serve(folder, url), office(folder, url) as opened:
        assert opened.held
        assert opened.give(push(opened), bundle().data)["state"] == "running"
        with pytest.raises(OrderRefused, match="no roll-out 'r9'") as refused:
            opened.give(new_order("pause", "bob", {"rollout": "r9"}))
        assert refused.value.mend == "edge-inspect fleet status"
    assert rollouts(url) == {"r1": "running"}


def test_a_private_key_is_in_no_file_that_is_left(folder, url):
    with Serve(folder, url) as serve, office(folder, url) as opened:
        serve.over.set()
        serve.thread.join()
        leave(opened.repository.folder, push(opened), bundle().data)
    secrets = [file.read_text().splitlines()[1] for file in (folder / "keys").glob("*.pem")]
    left = list((folder / "orders").iterdir())
    assert len(left) == 2
    assert len(secrets) == 4
    for file in left:
        assert file.stat().st_mode & 0o007 == 0
        assert not any(secret.encode() in file.read_bytes() for secret in secrets)


def test_serve_does_not_look_and_the_order_is_applied_later(folder, url, monkeypatch):
    monkeypatch.setattr(ordering, "WITHIN_S", 0.0)
    serve = Serve(folder, url)
    with office(folder, url) as opened:
        order = push(opened)
        assert opened.give(order, bundle().data) is None
    serve.lock.release()
    serve.database.close()
    assert rollouts(url) == {}
    with Serve(folder, url), office(folder, url) as opened:
        monkeypatch.setattr(ordering, "WITHIN_S", 30.0)
        assert opened.give(order, bundle().data)["rollout"] == "r1"
    assert rollouts(url) == {"r1": "running"}


def test_serve_dies_between_the_commit_and_the_answer(folder, url):
    serve = Serve(folder, url)
    with office(folder, url) as opened:
        order = push(opened)
        leave(opened.repository.folder, order, bundle().data)
    request = Request(order.id, ordering.KIND, {"order": order.id}, "ann", "ops")
    put(folder / "requests", request)
    answer = serve.desk.apply(request)  # committed; then the power goes
    assert serve.desk.step(0.0) == 1
    said = json.loads((folder / "requests" / f"{order.id}.answer").read_text())
    assert said == answer
    serve.lock.release()
    serve.database.close()


@pytest.mark.parametrize("content", [None, b"", b"{}", b'{"id": "x"}'])
def test_an_order_that_is_none_is_refused_with_words(folder, url, content):
    serve = Serve(folder, url)
    order = new_order("pause", "ann", {"rollout": "r1"})
    if content is not None:
        (folder / "orders" / f"{order.id}.json").write_bytes(content)
    answer = serve.desk.apply(Request(order.id, ordering.KIND, {"order": order.id}))
    assert not answer["ok"]
    assert "give it again" in str(answer["message"])
    serve.lock.release()
    serve.database.close()


def test_the_order_of_another_request_is_not_applied(folder, url):
    with office(folder, url) as opened:
        opened.give(push(opened), bundle().data)
    serve = Serve(folder, url)
    first, second = (new_order("pause", "ann", {"rollout": "r1"}) for _ in range(2))
    (folder / "orders" / f"{second.id}.json").write_text(first.as_text())
    assert not serve.desk.apply(Request(second.id, ordering.KIND, {}))["ok"]
    serve.lock.release()
    serve.database.close()


def test_names_of_files_do_not_lead_out_of_the_folder(folder, url):
    serve = Serve(folder, url)
    with office(folder, url) as opened:
        body = dict(push(opened).body)
        for name in ("../keys/root-1", "/etc/passwd", "a" * 63 + "/"):
            body["bundle"] = {**body["bundle"], "sha256": name}
            order = new_order("push", "ann", body)
            leave(opened.repository.folder, order, b"")
            answer = serve.desk.apply(Request(order.id, ordering.KIND, {}))
            assert "the bundle is not there" in str(answer["message"])
    serve.lock.release()
    serve.database.close()


def test_another_command_is_waited_for(folder, url):
    lock = Lock(lock_of(file_of(url)), "edge-inspect fleet push")
    waiting = threading.Timer(0.2, lock.release)
    waiting.start()
    with office(folder, url) as opened:
        assert opened.held is None
    waiting.join()


def test_what_nobody_fetched_is_swept_away_after_a_week(folder, url):
    old, new = folder / "orders" / "old.zip", folder / "orders" / "new.zip"
    for file in (old, new):
        file.write_bytes(b"x")
    os.utime(old, (1, 1))
    with office(folder, url) as opened:
        leave(opened.repository.folder, new_order("pause", "ann", {}), b"")
    assert not old.exists()
    assert new.exists()


def test_places_that_are_none(tmp_path, folder, url):
    with pytest.raises(RepositoryError, match="is no repository"), office(tmp_path, url):
        pass
    with pytest.raises(DatabaseError), office(folder, "nonsense"):
        pass


def test_a_database_that_nobody_made_is_not_made_by_an_order(tmp_path, folder, database_url):  # noqa: F811
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(DatabaseError) as error, office(folder, database_url) as opened:
        opened.stations()
    assert "fleet init DIR --database" in error.value.mend
    assert sorted(tmp_path.rglob("*")) == before
    begin(folder, database_url)
    with office(folder, database_url) as opened:
        assert opened.stations() == {}


@pytest.mark.slow
def test_killed_between_any_two_steps(tmp_path):
    """Each time a push is ended at a later step, what is there can be used: the push has happened
    as a whole or not at all, and given again it happens once."""
    command = [sys.executable, "-m", "tests.sync.fleet.killed", str(tmp_path), str(STRIDE)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    ends = json.loads(done.stdout)
    assert {"before", "after"} == set(ends.values())
    assert len(ends) * STRIDE > 20
