"""The configuration file: found, read, and every error said with its place."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge import config, config_cameras, config_values
from edge.config import Config
from edge.config_cameras import FolderCamera
from edge.config_file import FORMS, TOO_LARGE, ConfigError, find, load, parse

FILE = Path("/etc/plant/station.yaml")
SMALL = """\
station: {site: plant-a, line: line-3, name: caps}
state_dir: /var/lib/edge-inspect
camera: {source: synthetic}
model: {bundle: "@rings"}
"""


def read(text: str | bytes) -> Config:
    return parse(text.encode() if isinstance(text, str) else text, FILE)


def problems(text: str | bytes) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read(text)
    start = f"{FILE}:"
    assert all(str(problem).startswith(start) for problem in caught.value.problems)
    assert str(caught.value) == "\n".join(map(str, caught.value.problems))
    return [str(problem).removeprefix(start) for problem in caught.value.problems]


def with_camera(section: str) -> str:
    return SMALL.replace("{source: synthetic}", section)


def test_the_smallest_configuration_is_enough() -> None:
    config = read(SMALL)
    assert config.station.path == "plant-a/line-3/caps"
    assert config.decision.automation == "shadow"
    assert config.escalation.fallback == "hold"
    assert config.sync is None


def test_the_example_of_the_design_is_read() -> None:
    config = read(
        """\
station: {site: plant-a, line: line-3, name: caps, time_zone: Europe/Berlin}
state_dir: /var/lib/edge-inspect
camera:
  source: v4l2            # a comment
  device: /dev/v4l/by-id/usb-cam
  width: 1920
  height: 1080
  roi: [600, 200, 512, 512]
  controls: {exposure: 5000, gain: 0, white_balance: 4600, focus: 30}
trigger: {source: interval, every_ms: 1000}
model: {bundle: models/caps, deadline_ms: 200, threads: 1}
decision: {automation: shadow, max_escape: 0.01, max_overkill: 0.01, confidence: 0.95,
  max_slip: 0.0002, spot_checks_per_day: 20, ask: all}
escalation: {deadline_s: 60, fallback: hold}
sync: {broker: mqtt://127.0.0.1:1883, acknowledge: broker}
web: {listen: 127.0.0.1:8080}
storage: {images: escalated+rejected+random, max_bytes: 20GB, keep_pictures_days: 30,
  keep_records_days: 730}
"""
    )
    assert config.camera.roi == (600, 200, 512, 512)
    assert config.model.bundle == "/etc/plant/models/caps"
    assert config.storage.max_bytes == 20 * 10**9


def test_all_errors_come_at_once_in_order_each_with_line_and_column() -> None:
    text = """\
station: {site: Plant A, line: line-3, name: caps}
camera:
  source: folder
  path: pictures
  lable_from_folder: true
  roi: [1, 2, 3]
model: {bundle: "@rings", threads: 0, treads: 2}
decision:
  automation: automatic
  accept_threshhold: 0.5
escalation: {fallback: accept}
"""
    found = problems(text)
    assert [line.split(": ")[0] for line in found] == [
        "1:1", "1:11", "5:3", "6:3", "7:27", "7:39", "9:3", "10:3", "11:14",
    ]  # fmt: skip
    assert "1:1: state_dir: is missing" in found
    assert (
        "5:3: camera.lable_from_folder: no such setting; did you mean label_from_folder?" in found
    )
    assert "7:39: model.treads: no such setting; did you mean threads?" in found
    assert "hold" in found[-1]


def test_an_unknown_key_without_a_neighbour_lists_the_known_ones() -> None:
    (only,) = problems(SMALL + "zzz: 1\n")
    assert only.startswith("5:1: zzz: no such setting; there are: camera, decision")


def test_an_accepting_fallback_is_no_legal_value() -> None:
    (only,) = problems(SMALL + "escalation: {fallback: accept}\n")
    assert "escalation.fallback" in only


def test_a_key_given_twice_is_an_error_however_deep() -> None:
    found = problems(
        with_camera("{source: synthetic, seed: 1, seed: 1}") + "web: {}\nstate_dir: /x\n"
    )
    assert found == ["3:38: seed: given twice", "6:1: state_dir: given twice"]


def test_a_camera_without_or_with_an_unknown_source() -> None:
    (missing,) = problems(with_camera("{path: x}"))
    assert missing.startswith("3:1: camera.source: is missing (synthetic, folder")
    (unknown,) = problems(with_camera("{source: webcam}"))
    assert "camera.source: 'webcam' is none of" in unknown
    assert "'v4l2'" in unknown


def test_keys_are_those_of_the_camera_that_is_meant() -> None:
    (only,) = problems(with_camera("{source: synthetic, path: x}"))
    assert only.startswith("3:29: camera.path: no such setting; there are:")
    assert "seed" in only
    assert "label_from_folder" not in only


def test_a_key_called_like_the_source_is_named_in_full() -> None:
    (only,) = problems(with_camera("{source: folder, path: x, folder: /y}"))
    assert only.startswith("3:35: camera.folder: no such setting")


def test_an_error_deep_in_the_camera_has_its_own_place() -> None:
    found = problems(
        with_camera("\n  source: v4l2\n  device: /dev/video0\n  controls:\n    gain: high\n")
    )
    assert found == ["7:5: camera.controls.gain: input should be a valid integer (not 'high')"]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("model: {bundle: '@rings', threads: '1'}", "model.threads"),
        ("model: {bundle: '@rings', threads: 1.5}", "model.threads"),
        ("model: {bundle: '@rings', threads: yes}", "model.threads"),
        ("model: {bundle: 7}", "model.bundle"),
        ("model: {bundle: ''}", "model.bundle"),
        ("model: []", "model"),
        ("model:", "model"),
        ("state_dir: ''", "state_dir"),
        ("state_dir: ~nobody-of-this-name/x", "state_dir"),
        ("station: {site: a, line: b, name: no}", "station.name"),
        ("station: {site: a, line: b, name: C}", "station.name"),
        ("station: {site: a, line: b, name: c, time_zone: Mars/Olympus}", "station.time_zone"),
        ("station: {site: a, line: b, name: c, time_zone: Europe}", "station.time_zone"),
        ("station: {site: a, line: b, name: c, time_zone: /etc/passwd}", "station.time_zone"),
        ("trigger: {source: interval}", "trigger"),
        ("trigger: {source: continuous, every_ms: 5}", "trigger"),
        ("trigger: {source: interval, every_ms: 0.001}", "trigger.every_ms"),
        ("decision: {accept_below: 0.5}", "decision"),
        ("decision: {accept_below: 0.6, reject_above: 0.5}", "decision"),
        ("decision: {max_escape: 0}", "decision.max_escape"),
        ("decision: {max_escape: 1e-2}", "decision.max_escape"),
        ("escalation: {deadline_s: 0}", "escalation.deadline_s"),
        ("escalation: {deadline_s: 1.0e+300}", "escalation.deadline_s"),
        ("model: {bundle: '@rings', deadline_ms: 1.0e+300}", "model.deadline_ms"),
        ("storage: {max_bytes: -1}", "storage.max_bytes"),
        ("storage: {max_bytes: 20 potatoes}", "storage.max_bytes"),
        (f"storage: {{max_bytes: {'9' * 400}GB}}", "storage.max_bytes"),
        ("storage: {images: everything}", "storage.images"),
        ("storage: {images: 'random:nan'}", "storage.images"),
        ("web: {listen: anywhere}", "web.listen"),
        ("sync: {}", "sync.broker"),
        ("sync: {broker: http://127.0.0.1}", "sync.broker"),
    ],
)
def test_a_wrong_value_is_named_by_its_key(text: str, key: str) -> None:
    section = text.split(":")[0]
    kept = [line for line in SMALL.splitlines() if not line.startswith(section + ":")]
    (only,) = problems("\n".join([*kept, text]) + "\n")
    assert only.split(": ")[1] == key


@pytest.mark.parametrize(
    ("written", "size"),
    [("500MB", 500 * 10**6), ("20GB", 20 * 10**9), ("1.5 TB", 1500 * 10**9), ("3k", 3000),
     ("12", 12), ("12B", 12), ("7_000", None), ("0", 0)],
)  # fmt: skip
def test_sizes(written: str, size: int | None) -> None:
    text = SMALL + f"storage: {{max_bytes: '{written}'}}\n"
    if size is None:
        assert len(problems(text)) == 1
    else:
        assert read(text).storage.max_bytes == size


@pytest.mark.parametrize(
    "text",
    [
        SMALL + "sync: {broker: 'mqtt://me:geheim@broker'}\n",
        with_camera("{source: rtsp, url: 'rtsp://me:geheim@10.0.0.7/live'}"),
        with_camera("{source: rtsp, url: 'rtsp://me:ge/heim@10.0.0.7/live'}"),
    ],
)
def test_a_password_in_an_address_is_refused_and_not_repeated(text: str) -> None:
    (only,) = problems(text)
    assert "credentials_file" in only
    assert "heim" not in only


def test_paths_count_from_the_folder_of_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/somebody")
    config = read(
        SMALL.replace("/var/lib/edge-inspect", "state").replace(
            "{source: synthetic}", "{source: folder, path: ../pictures}"
        )
        + "sync: {broker: mqtt://b, credentials_file: ~/login, ca_file: /abs/ca.pem}\n"
    )
    assert config.state_dir == Path("/etc/plant/state")
    assert isinstance(config.camera, FolderCamera)
    assert config.camera.path == Path("/etc/plant/../pictures")
    assert config.sync is not None
    assert config.sync.credentials_file == Path("/home/somebody/login")
    assert config.sync.ca_file == Path("/abs/ca.pem")


def test_comments_order_and_defaults_written_out_do_not_change_the_digest() -> None:
    plain = read(SMALL).digest
    lines = SMALL.splitlines()
    other = "# hello\n" + "\n\n".join(reversed(lines)) + "   # end\n"
    assert read(other).digest == plain
    assert read(SMALL + "storage: {keep_pictures_days: 30}\n").digest == plain
    assert read(SMALL + "storage: {max_bytes: 20000MB}\n").digest == plain
    assert read(SMALL + "storage: {max_bytes: 21GB}\n").digest != plain


def test_a_config_cannot_be_changed() -> None:
    config = read(SMALL)
    with pytest.raises(ValueError, match="frozen"):
        config.station.name = "other"


def test_a_long_wrong_value_is_shortened() -> None:
    (only,) = problems(SMALL + f"web: {{listen: '{'x' * 5000}'}}\n")
    assert len(only) < 300


@pytest.mark.parametrize("text", ["", "- a\n- b\n", "just words\n", "7\n"])
def test_what_is_no_mapping_is_said_in_words(text: str) -> None:
    (only,) = problems(text)
    assert only.startswith("1:1: the file: ")


@given(
    st.one_of(
        st.binary(max_size=300),
        st.text(max_size=100).map(lambda text: text.encode("utf-8", "surrogatepass")),
        st.dictionaries(
            st.sampled_from([*Config.model_fields, "source", "x"]),
            st.recursive(
                st.none()
                | st.booleans()
                | st.integers()
                | st.floats()
                | st.text(max_size=8)
                | st.sampled_from(["synthetic", "folder", "v4l2", "rtsp", "@", "~x", "Europe"]),
                lambda inner: (
                    st.lists(inner, max_size=4)
                    | st.dictionaries(
                        st.sampled_from(["source", "path", "time_zone", "bundle", "roi", "url",
                                         "controls", "max_bytes", "every_ms", "device", "site"]),
                        inner, max_size=4,
                    )
                ),
                max_leaves=8,
            ),
        ).map(lambda content: repr(content).encode("utf-8", "replace")),
        st.tuples(st.integers(0, len(SMALL)), st.binary(max_size=6)).map(
            lambda cut: SMALL[: cut[0]].encode() + cut[1] + SMALL[cut[0] :].encode()
        ),
    )
)  # fmt: skip
def test_whatever_the_bytes_the_answer_is_a_config_or_words(data: bytes) -> None:
    try:
        found = read(data).digest
    except ConfigError as error:
        found = "".join(problem.message for problem in error.problems)
    assert found


def test_the_file_that_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("EDGE_INSPECT_CONFIG", raising=False)
    monkeypatch.setattr("edge.config_file.PLACES", (Path("edge-inspect.yaml"),))
    with pytest.raises(ConfigError, match="edge-inspect init"):
        find()
    (tmp_path / "edge-inspect.yaml").write_text(SMALL)
    assert find() == Path("edge-inspect.yaml")
    monkeypatch.setenv("EDGE_INSPECT_CONFIG", "/elsewhere.yaml")
    assert find() == Path("/elsewhere.yaml")
    assert find(Path("given.yaml")) == Path("given.yaml")


def test_a_file_that_cannot_be_read_is_said_in_words(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        load(tmp_path / "none.yaml")
    with pytest.raises(ConfigError, match="Is a directory"):
        load(tmp_path)
    large = tmp_path / "large.yaml"
    large.write_bytes(b"#" * (TOO_LARGE + 1))
    with pytest.raises(ConfigError, match="64 KiB"):
        load(large)


def test_the_status_files_are_where_anyone_may_read_them() -> None:
    assert read(SMALL).status_folder == Path("/run/edge-inspect")
    local = SMALL.replace("/var/lib/edge-inspect", "state")
    assert read(local).status_folder == Path("/etc/plant/state/status")
    assert read(local + "status_dir: elsewhere\n").status_folder == Path("/etc/plant/elsewhere")


def test_every_pattern_has_words() -> None:
    sources = [Path(one.__file__) for one in (config, config_cameras, config_values)]
    text = "".join(source.read_text() for source in sources)
    assert set(re.findall(r'pattern=r"([^"]+)"', text)) == set(FORMS)
