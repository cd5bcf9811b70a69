"""Home: what waits, and the figures that answer an editor's questions."""

from litestar import get

from publisher.web.console.shell import Answer, AnyRequest, desk_of, in_thread, render
from publisher.web.console.waiting import list_items


@get("/")
@in_thread
def show_home(request: AnyRequest) -> Answer:
    desk = desk_of(request)
    items = list_items(desk)
    figures = desk.figures.read(desk.database, desk.zone, desk.clock())
    return render(request, "home.html", items=items, figures=figures)


handlers = [show_home]
