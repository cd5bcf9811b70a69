"""What a reader gets, chosen for them by an operator; what they choose themselves is the same."""

from litestar import post
from litestar.params import FromPath

from publisher.audience.choosing import make_offer, read_choices
from publisher.audience.preferences import choose
from publisher.web.console.readers import about, require_reader
from publisher.web.console.shell import (
    Answer,
    AnyRequest,
    Form,
    actor_of,
    desk_of,
    flash,
    in_thread,
    redirect,
    text_of,
    texts_of,
)


@post("/readers/{ref:str}/choices")
@in_thread
def choose_for_reader(request: AnyRequest, ref: FromPath[str], data: Form) -> Answer:
    desk = desk_of(request)
    content, frequency = text_of(data, "content"), text_of(data, "frequency")
    offer = make_offer(desk.settings)
    chosen = read_choices(content, texts_of(data, "tags"), frequency, offer)
    if chosen is None:
        flash(request, "Nothing was changed: this is not offered, or not any more.", "problem")
        return redirect(f"/readers/{ref}")
    with desk.database.write() as connection:
        reader = require_reader(desk, connection, ref)
        if chosen != reader.choices:
            choose(connection, desk.database.publication, reader, chosen, desk.clock())
            desk.note(
                connection, actor_of(request), "reader's choices changed", about=about(reader)
            )
    flash(request, "It is kept, from the next mailing on.")
    return redirect(f"/readers/{ref}")


handlers = [choose_for_reader]
