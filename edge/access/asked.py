"""What commands ask about persons and machines, whether the service runs or not.

The command makes code or token itself and hands over only its hash: no file ever holds them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from edge.access.denied import Denied
from edge.access.machines import Machines
from edge.access.people import People
from edge.requests import Answer, Refused, Request

Handlers = Mapping[str, Callable[[Request], Answer]]


def handlers(people: People, machines: Machines) -> Handlers:
    """One handler for each kind of request. A request that comes again changes nothing more."""

    def first_code(request: Request) -> Answer:
        """Arguments: hash, another (whether somebody who lets others in is no reason against)."""
        if not people.nobody and request.arguments.get("another") is not True:
            raise Refused("there is a lead already, who can add others on the page")
        people.another_code(_hash(request), account=request.account)
        return {}

    def token_add(request: Request) -> Answer:
        """Arguments: hash, name, rights."""
        rights, name = request.arguments.get("rights"), request.arguments.get("name")
        if not isinstance(rights, list) or not isinstance(name, str):
            raise Refused("expected a name and rights")
        with _refusing():
            wanted = [str(one) for one in rights]
            made = machines.add_hashed(
                request.by, name, wanted, _hash(request), account=request.account
            )
        return {"machine": made.id}

    def token_remove(request: Request) -> Answer:
        """Arguments: machine."""
        with _refusing():
            machine = str(request.arguments.get("machine"))
            machines.remove(request.by, machine, account=request.account)
        return {}

    return {"first_code": first_code, "token_add": token_add, "token_remove": token_remove}


class _refusing:
    """Turns what the page would be told into what a command is told."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, Denied):
            raise Refused(str(error)) from error


def _hash(request: Request) -> bytes:
    given = request.arguments.get("hash")
    try:
        found = bytes.fromhex(given) if isinstance(given, str) else b""
    except ValueError:
        found = b""
    if len(found) != 32:
        raise Refused("expected a hash")
    return found
