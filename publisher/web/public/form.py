"""The body of a form -> its fields, whichever of the two ways it was sent."""

from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message
from urllib.parse import parse_qsl

from publisher.settings_values import MOST_OFFERED

MOST_BYTES = 16_384
# All that a publication can offer, and some that a browser's extension may add.
_MOST_FIELDS = MOST_OFFERED + 20
URLENCODED, MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"

Fields = dict[str, list[str]]


class FormError(ValueError):
    """The body is no form of ours."""


def parse_form(content_type: str, body: bytes) -> Fields:
    """Read the fields of a form in UTF-8, each with its values in their order; files are left out.

    Raises FormError.
    """
    kind = content_type.partition(";")[0].strip().lower()
    try:
        if kind == URLENCODED:
            pairs = parse_qsl(
                body.decode(), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS
            )
        elif kind == MULTIPART:
            pairs = list(_read_parts(content_type, body))
        else:
            raise FormError(f"{kind or 'nothing'} is no form's type")
    except ValueError as error:  # also UnicodeDecodeError
        raise FormError(str(error)) from None
    fields: Fields = {}
    for name, value in pairs:
        fields.setdefault(name, []).append(value)
    return fields


def is_one_click(fields: Fields) -> bool:
    """Tell whether a mail program unsubscribes for its user (RFC 8058, section 3.1)."""
    return fields.get("List-Unsubscribe") == ["One-Click"]


def _read_parts(content_type: str, body: bytes) -> Iterator[tuple[str, str]]:
    """The fields of a multipart body (RFC 7578)."""
    head = f"Content-Type: {content_type}\r\n\r\n".encode("latin-1", "replace")
    parts = message_from_bytes(head + body).get_payload()
    if not isinstance(parts, list) or len(parts) > _MOST_FIELDS:
        raise FormError("the parts cannot be told apart")
    for part in parts:
        assert isinstance(part, Message)  # noqa: S101 - what a multipart message is made of
        name = part.get_param("name", header="content-disposition")
        value = part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(value, bytes) and part.get_filename() is None:
            yield name, value.decode()
