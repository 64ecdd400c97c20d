import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.store.owner import _try_sudo, become_owner

NOBODY = 65534
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")

CODE = """
import os, sys
from pathlib import Path
from edge.store.errors import NotOwner
from edge.store.owner import become_owner
if sys.argv[2] != "root":
    os.setuid(int(sys.argv[2]))
try:
    become_owner(Path(sys.argv[1]))
except NotOwner as error:
    print(error, "|", error.hint)
else:
    print(os.getresuid(), os.getresgid(), os.getgroups())
"""


@pytest.fixture
def state() -> Iterator[Path]:
    # Not tmp_path: other users cannot look into that.
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def _as(user: str, state: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", CODE, str(state), user], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.mark.parametrize("owner", [NOBODY, 54321])
def test_root_becomes_the_owner_for_good(state: Path, owner: int) -> None:
    os.chown(state, owner, owner)
    ids = (owner,) * 3
    assert _as("root", state) == f"{ids} {ids} [{owner}]"


def test_another_user_is_told_what_to_type(state: Path) -> None:
    said = _as(str(NOBODY), state)
    assert said.startswith(f"{state} belongs to the user root | sudo -u root edge-inspect ")


@pytest.mark.parametrize("program", ["/usr/bin/edge-inspect", "/opt/edge/__main__.py", "-c", ""])
def test_what_is_to_be_typed_is_named_however_it_was_started(
    program: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["queue", "verdict", "7", "--note", "two words"]
    monkeypatch.setattr(sys, "argv", [program, *words])
    typed = "edge-inspect queue verdict 7 --note 'two words'"
    assert _try_sudo("root") == f"sudo -u root {typed}"
    assert _try_sudo("#54321") == f"sudo -u '#54321' {typed}"


def test_the_owner_and_a_directory_that_is_not_there_change_nothing(state: Path) -> None:
    become_owner(state)
    become_owner(state / "none")
    assert os.geteuid() == 0
