"""Schedules, with their next firing and their last one."""

from publisher.runtime.scheduler import describe_schedule
from publisher.store.arming import find_unarmed
from publisher.web.api import examples
from publisher.web.api.operation import Call, Operation, Reply
from publisher.web.api.shapes import Schedules


def list_schedules(call: Call) -> Reply:
    """List the schedules: when each fires next, when it did last, and what came of it."""
    desk = call.desk
    shown = [
        describe_schedule(desk.database, desk.settings, each, call.now)
        for each in desk.settings.schedules
    ]
    with desk.database.read() as connection:
        why = find_unarmed(connection, desk.database.place)
    return Reply(body={"schedules": shown, "off": why or None})


operations = [
    Operation(
        method="GET",
        path="/schedules",
        handle=list_schedules,
        returns=Schedules,
        example=examples.SCHEDULES,
    ),
]
