"""The audit log: who did what, newest first, a page at a time."""

from urllib.parse import urlencode

from litestar import get
from litestar.params import FromQuery

from publisher.store.audit import list_deeds, list_words
from publisher.web.console.shell import Answer, AnyRequest, Before, desk_of, in_thread, render

_PAGE = 50


@get("/audit")
@in_thread
def show_audit(
    request: AnyRequest, before: Before = 0, who: FromQuery[str] = "", action: FromQuery[str] = ""
) -> Answer:
    desk = desk_of(request)
    publication = desk.database.publication
    with desk.database.read() as connection:
        deeds = list_deeds(
            connection, publication, before=before, who=who, action=action, limit=_PAGE + 1
        )
        people, actions = list_words(connection, publication)
    chosen = {name: value for name, value in (("who", who), ("action", action)) if value}
    older = ""
    if len(deeds) > _PAGE:
        older = f"/audit?{urlencode(chosen | {'before': str(deeds[_PAGE - 1].id)})}"
    return render(
        request,
        "audit.html",
        deeds=deeds[:_PAGE],
        people=people,
        actions=actions,
        who=who,
        action=action,
        older=older,
        newest=f"/audit?{urlencode(chosen)}" if before else "",
    )


handlers = [show_audit]
