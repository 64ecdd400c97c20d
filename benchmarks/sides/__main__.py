"""Both sides of `line.py`: each role runs in a process of its own and prints one result.

python benchmarks/sides ROLE '{"argument": …}'
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path[0] = str(Path(__file__).resolve().parents[2])

from benchmarks.sides import around, bare, station, whole
from benchmarks.sides.role import RESULT

ROLES: dict[str, Callable[..., Any]] = {
    "wrap": station.wrap,
    "pictures": station.make_pictures,
    "line_throughput": whole.line_throughput,
    "bare_throughput": bare.bare_throughput,
    "line_latency": whole.line_latency,
    "bare_latency": bare.bare_latency,
    "drain": around.drain,
    "line_memory": whole.line_memory,
    "bare_memory": bare.bare_memory,
}

if __name__ == "__main__":
    print(RESULT + json.dumps(ROLES[sys.argv[1]](**json.loads(sys.argv[2]))))
