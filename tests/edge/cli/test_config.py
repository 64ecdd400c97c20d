import json

import pytest
import yaml
from typer.testing import CliRunner

from edge.cli.config import app
from edge.config import Config
from edge.config_file import ConfigError, load

TEXT = """
station: {{site: plant-a, line: line-3, name: caps}}
state_dir: state
camera: {{source: synthetic}}
model: {{bundle: "{bundle}"}}
"""


def run(folder, *arguments, bundle="@rings"):
    path = folder / "edge-inspect.yaml"
    path.write_text(TEXT.format(bundle=bundle))
    return CliRunner().invoke(app, [*arguments, "--config", str(path)])


def test_a_good_file_is_named_with_its_digest(tmp_path):
    done = run(tmp_path, "check")
    assert done.exit_code == 0
    assert load(tmp_path / "edge-inspect.yaml").digest[:12] in done.stderr


@pytest.mark.parametrize("bundle", ["@ring", "bundles/none"])
def test_a_bundle_that_is_nowhere_is_wrong_here_as_it_is_for_run(tmp_path, bundle):
    done = run(tmp_path, "check", bundle=bundle)
    assert isinstance(done.exception, ConfigError)
    assert "model.bundle" in str(done.exception)


def test_what_is_shown_loads_again_as_the_same_configuration(tmp_path):
    shown = run(tmp_path, "show").stdout
    (tmp_path / "again.yaml").write_text(shown)
    first, again = load(tmp_path / "edge-inspect.yaml"), load(tmp_path / "again.yaml")
    assert again == first
    assert yaml.safe_load(shown)["escalation"]["fallback"] == "hold"


def test_as_json_it_is_one_object(tmp_path):
    assert json.loads(run(tmp_path, "show", "--json").stdout)["trigger"]["source"] == "continuous"


def test_the_schema_knows_every_section():
    schema = json.loads(CliRunner().invoke(app, ["schema"]).stdout)
    assert set(schema["properties"]) == set(Config.model_fields)
