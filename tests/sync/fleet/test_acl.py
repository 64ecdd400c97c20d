"""What a real mosquitto allows with our access file, and what it refuses."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.broker import Address, Login
from sync.fleet.acl import AclError, Bridge, is_ours, mosquitto
from sync.mqtt import MqttTransport, Settings
from sync.transport import Acknowledged, Connected, Message, Refused
from tests.simulators.broker import free_port, running_broker
from tests.simulators.patience import until
from tests.simulators.pki import Authority

CAPS, LIDS = "plant-a/line-3/caps", "plant-a/line-3/lids"
USERS = (
    *(CAPS, LIDS, "plant-b/line-1/caps", "central", "telegraf", "bridge-a", "stranger"),
    *("serving", "publishing"),
)


@pytest.fixture(scope="module")
def rules(tmp_path_factory):
    """The access file, and a password for everybody."""
    access = mosquitto(["central"], ["telegraf"], [Bridge.parse("bridge-a=plant-a")])
    return rules_by(tmp_path_factory.mktemp("plant"), access)


@pytest.fixture(scope="module")
def publishing(tmp_path_factory):
    """The same where not everybody who collects may publish models."""
    access = mosquitto(["central", "serving"], publishers=["serving", "publishing"])
    return rules_by(tmp_path_factory.mktemp("publishing"), access)


def rules_by(folder, content):
    passwords, access = folder / "passwords", folder / "acl"
    passwords.touch(mode=0o600)
    for user in USERS:
        subprocess.run(["mosquitto_passwd", "-b", passwords, user, "secret"], check=True)
    access.write_text(content)
    access.chmod(0o600)
    return "allow_anonymous false", f"password_file {passwords}", f"acl_file {access}"


@pytest.fixture
def plant(rules, tmp_path):
    with running_broker(tmp_path / "broker", rules) as broker:
        yield broker


class User:
    """A client that is known by its password."""

    def __init__(self, broker, folder, name):
        login = folder / name.replace("/", "-")
        login.write_text(f"{name}\nsecret\n")
        settings = Settings(Address.parse(broker.url), f"test/{name}", Login(credentials=login))
        self.transport = MqttTransport(settings)
        self.seen = []
        self.connect()

    def connect(self):
        self.seen.clear()
        self.transport.connect()
        self.until(lambda: any(type(event) is Connected for event in self.seen))

    def until(self, condition):
        def found():
            self.seen += self.transport.events()
            return condition()

        until(found, lambda: self.transport.wait(0.2))

    def write(self, topic, payload=b"x", retain=False):
        """Whether the broker takes a message. After a refusal mosquitto 2.0 hangs up, so that we
        connect anew and without subscriptions."""
        token = self.transport.publish(f"ei/v1/{topic}", payload, retain=retain)
        answers = (Acknowledged, Refused)
        mine = []

        def answered():
            mine[:] = [e for e in self.seen if isinstance(e, answers) and e.token == token]
            return mine

        self.until(answered)
        if isinstance(mine[0], Acknowledged):
            return True
        self.connect()
        return False

    def subscribe(self, topic):
        token = self.transport.subscribe(topic)
        self.until(lambda: Acknowledged(token) in self.seen)

    def topics(self):
        return [event.topic for event in self.seen if isinstance(event, Message)]


@pytest.fixture
def user(plant, tmp_path):
    made = []

    def make(name):
        made.append(User(plant, tmp_path, name))
        return made[-1]

    yield make
    for one in made:
        one.transport.close()


@pytest.mark.broker
def test_a_station_writes_below_its_own_topics(user):
    caps = user(CAPS)
    for leaf in (
        *("status", "results/line", "results/queue", "pictures", "alarms", "metrics"),
        *("model/state", "model/want"),
    ):
        assert caps.write(f"{CAPS}/{leaf}"), leaf
    assert caps.write(f"{CAPS}/check")


@pytest.mark.broker
def test_a_station_writes_nothing_else(user):
    caps = user(CAPS)
    for topic in (
        f"{CAPS}/ack/line",
        f"{CAPS}/ack/check",
        f"{CAPS}/rewind",
        f"{CAPS}/model/assignment",
        f"{CAPS}/model/chunk/{64 * 'a'}/0",
        f"{LIDS}/model/state",
        f"{LIDS}/model/want",
        f"{LIDS}/model/assignment",
        f"{CAPS}",
        f"{LIDS}/results/line",
        f"{LIDS}/status",
        f"{LIDS}/ack/line",
        f"{LIDS}/rewind",
        "plant-b/line-1/caps/ack/line",
    ):
        assert not caps.write(topic), topic


@pytest.mark.broker
def test_a_station_reads_its_own_acknowledgements_only(user):
    caps, lids, central = user(CAPS), user(LIDS), user("central")
    for topic in ("#", "ei/v1/#", f"ei/v1/{LIDS}/#", f"ei/v1/{CAPS}/ack/line"):
        caps.subscribe(topic)
    for station in (LIDS, CAPS):
        for leaf in ("ack/line", "ack/queue"):
            assert central.write(f"{station}/{leaf}", retain=True)
        assert central.write(f"{station}/rewind")
    assert lids.write(f"{LIDS}/results/line")
    assert caps.write(f"{CAPS}/results/line")
    end = f"ei/v1/{CAPS}/ack/end"
    assert central.write(f"{CAPS}/ack/end")
    caps.until(lambda: end in caps.topics())
    own = {f"ei/v1/{CAPS}/{leaf}" for leaf in ("ack/line", "ack/queue", "ack/end", "rewind")}
    assert set(caps.topics()) == own


@pytest.mark.broker
def test_a_collector_reads_everything_also_shared_and_acknowledges(user):
    central, caps = user("central"), user(CAPS)
    central.subscribe("$share/collectors/ei/v1/+/+/+/results/+")
    central.subscribe("ei/v1/+/+/+/status")
    assert caps.write(f"{CAPS}/results/line")
    assert caps.write(f"{CAPS}/status", retain=True)
    wanted = {f"ei/v1/{CAPS}/results/line", f"ei/v1/{CAPS}/status"}
    central.until(lambda: wanted <= set(central.topics()))
    assert central.write(f"{LIDS}/ack/line", retain=True)
    for leaf in ("results/line", "status", "model/state", "model/want"):
        assert not central.write(f"{LIDS}/{leaf}"), leaf


@pytest.mark.broker
def test_models_go_from_the_fleet_to_one_station(user):
    caps, lids, central = user(CAPS), user(LIDS), user("central")
    caps.subscribe(f"ei/v1/{CAPS}/model/#")
    caps.subscribe(f"ei/v1/{LIDS}/model/#")
    central.subscribe("$share/fleet-models/ei/v1/+/+/+/model/want")
    central.subscribe("ei/v1/+/+/+/model/state")
    assert lids.write(f"{LIDS}/model/want")
    assert lids.write(f"{LIDS}/model/state", retain=True)
    chunk = f"model/chunk/{64 * 'a'}/0"
    for station in (LIDS, CAPS):
        assert central.write(f"{station}/{chunk}")
        assert central.write(f"{station}/model/assignment", retain=True)
    wanted = {f"ei/v1/{LIDS}/model/want", f"ei/v1/{LIDS}/model/state"}
    central.until(lambda: wanted <= set(central.topics()))
    own = {f"ei/v1/{CAPS}/{chunk}", f"ei/v1/{CAPS}/model/assignment"}
    caps.until(lambda: own <= set(caps.topics()))
    assert set(caps.topics()) == own


@pytest.mark.broker
def test_only_publishers_send_models_where_some_are_named(publishing, tmp_path):
    acknowledges, models = ("ack/line", "rewind"), ("model/assignment", f"model/chunk/{64 * 'a'}/0")
    with running_broker(tmp_path / "broker", publishing) as broker:
        for name, may in (
            ("central", acknowledges),
            ("serving", (*acknowledges, *models)),
            ("publishing", models),
        ):
            user = User(broker, tmp_path, name)
            taken = [leaf for leaf in (*acknowledges, *models) if user.write(f"{CAPS}/{leaf}")]
            user.subscribe("ei/v1/+/+/+/model/want")
            station = User(broker, tmp_path, CAPS)
            assert station.write(f"{CAPS}/model/want")
            assert not station.write(f"{CAPS}/model/assignment")
            user.until(lambda user=user: f"ei/v1/{CAPS}/model/want" in user.topics())
            for one in (user, station):
                one.transport.close()
            assert taken == list(may), name


@pytest.mark.broker
def test_a_reader_reads_and_a_stranger_does_nothing(user):
    reader, stranger, caps = user("telegraf"), user("stranger"), user(CAPS)
    for one in (reader, stranger):
        for leaf in ("status", "results/line", "ack/line", "rewind"):
            assert not one.write(f"{CAPS}/{leaf}")
    assert not stranger.write("plant-a/status")
    for one in (reader, stranger):
        one.subscribe("ei/v1/#")
    assert caps.write(f"{CAPS}/metrics")
    reader.until(lambda: f"ei/v1/{CAPS}/metrics" in reader.topics())
    stranger.seen += stranger.transport.events()
    assert stranger.topics() == []


@pytest.mark.broker
def test_a_bridge_speaks_for_its_site_only(user):
    bridge, central = user("bridge-a"), user("central")
    assert bridge.write(f"{CAPS}/results/line")
    assert bridge.write(f"{LIDS}/status")
    assert not bridge.write("plant-b/line-1/caps/results/line")
    assert not bridge.write(f"{CAPS}/ack/line")
    bridge.subscribe("ei/v1/#")
    assert central.write("plant-b/line-1/caps/ack/line")
    assert central.write(f"{CAPS}/ack/line")
    bridge.until(bridge.topics)
    assert bridge.topics() == [f"ei/v1/{CAPS}/ack/line"]


@pytest.mark.broker
def test_a_certificate_s_common_name_is_the_station(tmp_path):
    pki, port, access = Authority(tmp_path / "pki"), free_port(), tmp_path / "acl"
    access.write_text(mosquitto(["central"]))
    access.chmod(0o600)
    server = pki.issue("broker", ("127.0.0.1",))
    caps = pki.issue(CAPS)
    rules = (
        f"acl_file {access}",
        "allow_anonymous false",
        f"listener {port} 127.0.0.1",
        f"cafile {pki.file}",
        f"certfile {server.certificate}",
        f"keyfile {server.key}",
        "require_certificate true",
        "use_identity_as_username true",
    )
    with running_broker(tmp_path / "broker", rules):
        address = Address("127.0.0.1", port, True)
        login = Login(ca=pki.file, certificate=caps.certificate, key=caps.key)
        transport, seen = MqttTransport(Settings(address, "caps", login)), []
        try:
            transport.connect()
            for leaf, kind in (("results/line", Acknowledged), ("ack/line", Refused)):
                token = transport.publish(f"ei/v1/{CAPS}/{leaf}", b"x")

                def answered(wanted=(kind, token)):
                    seen.extend(transport.events())
                    return any((type(e), getattr(e, "token", 0)) == wanted for e in seen)

                until(answered, lambda: transport.wait(0.2))
        finally:
            transport.close()


@pytest.mark.parametrize(
    ("collectors", "readers", "told"),
    [
        ([], [], "at least one"),
        (["plant-a/line-3/caps"], [], "cannot be the user"),
        (["a+b"], [], "cannot be the user"),
        (["central\ntopic #"], [], "cannot be the user"),
        (["central"], ["central"], "named twice"),
    ],
)
def test_names_that_are_refused(collectors, readers, told):
    with pytest.raises(AclError, match=told):
        mosquitto(collectors, readers)


def test_a_publisher_is_no_reader_and_no_station():
    with pytest.raises(AclError, match="named twice"):
        mosquitto(["central"], ["telegraf"], publishers=["telegraf"])
    with pytest.raises(AclError, match="cannot be the user"):
        mosquitto(["central"], publishers=[CAPS])


@pytest.mark.parametrize("text", ["", "bridge", "bridge=", "bridge=Plant A", "bridge=a/b"])
def test_no_bridges(text):
    with pytest.raises(AclError, match="USER=SITE"):
        Bridge.parse(text)


@given(st.text())
def test_no_name_can_add_a_line(name):
    try:
        made = mosquitto([name])
    except AclError:
        return
    assert f"\nuser {name}\n" in made
    assert made.count("\n") == mosquitto(["central"]).count("\n")


def test_our_files_are_known():
    assert is_ours(mosquitto(["central"]))
    assert not is_ours("user central\n")
