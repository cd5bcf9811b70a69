"""What mail servers send back, in the shapes that they publish: of our own writing, each address
reserved for examples.

Each is made of the message that it returns: `to` is the envelope sender that it goes back to,
`reader` whom the message was for, `header` that of the message as it was sent.
"""

from collections.abc import Callable

Sample = Callable[..., bytes]


def _join(*lines: str) -> bytes:
    return "\r\n".join((*lines, "")).encode()


def postfix(
    to: str,
    reader: str,
    header: str,
    *,
    status: str = "5.1.1",
    diagnostic: str = "smtp; 550 5.1.1 <{reader}>: Recipient address rejected: User unknown in"
    "\r\n    virtual mailbox table",
    action: str = "failed",
    final: str = "",
    queue_id: str = "4bF7Qz1xYlz9rxW",
) -> bytes:
    """Postfix, as bounce(8) writes it."""
    final = final or reader
    return _join(
        "Return-Path: <>",
        f"Delivered-To: {to}",
        "Received: by mx.daily.example (Postfix)",
        f"\tid {queue_id}; Mon, 15 Dec 2025 07:00:09 +0000 (UTC)",
        "Date: Mon, 15 Dec 2025 07:00:09 +0000 (UTC)",
        "From: MAILER-DAEMON@mx.daily.example (Mail Delivery System)",
        "Subject: Undelivered Mail Returned to Sender",
        f"To: {to}",
        "Auto-Submitted: auto-replied",
        "MIME-Version: 1.0",
        "Content-Type: multipart/report; report-type=delivery-status;",
        f'\tboundary="{queue_id}.1765782009/mx.daily.example"',
        "Content-Transfer-Encoding: 8bit",
        f"Message-Id: <20251215070009.{queue_id}@mx.daily.example>",
        "",
        "This is a MIME-encapsulated message.",
        "",
        f"--{queue_id}.1765782009/mx.daily.example",
        "Content-Description: Notification",
        "Content-Type: text/plain; charset=utf-8",
        "",
        "This is the mail system at host mx.daily.example.",
        "",
        "I'm sorry to have to inform you that your message could not",
        "be delivered to one or more recipients. It's attached below.",
        "",
        f"<{final}>: host mx.reader.example[192.0.2.25] said: 550 5.1.1",
        f"    <{final}>: Recipient address rejected: User unknown (in reply to RCPT TO command)",
        "",
        f"--{queue_id}.1765782009/mx.daily.example",
        "Content-Description: Delivery report",
        "Content-Type: message/delivery-status",
        "",
        "Reporting-MTA: dns; mx.daily.example",
        f"X-Postfix-Queue-ID: {queue_id}",
        f"X-Postfix-Sender: rfc822; {to}",
        "Arrival-Date: Mon, 15 Dec 2025 07:00:06 +0000 (UTC)",
        "",
        f"Final-Recipient: rfc822; {final}",
        f"Original-Recipient: rfc822;{final}",
        f"Action: {action}",
        f"Status: {status}",
        "Remote-MTA: dns; mx.reader.example",
        f"Diagnostic-Code: {diagnostic.format(reader=final)}",
        "",
        f"--{queue_id}.1765782009/mx.daily.example",
        "Content-Description: Undelivered Message Headers",
        "Content-Type: text/rfc822-headers",
        "Content-Transfer-Encoding: 8bit",
        "",
        f"Return-Path: <{to}>",
        header,
        "",
        f"--{queue_id}.1765782009/mx.daily.example--",
    )


def exim(to: str, reader: str, header: str) -> bytes:
    """Exim since 4.83."""
    boundary = "1765782010-eximdsn-1804289383"
    return _join(
        "Return-path: <>",
        f"Envelope-to: {to}",
        "Received: from Debian-exim by mail.reader.example with local (Exim 4.96)",
        "\tid 1vV2ab-000abc-1x",
        f"\tfor {to}; Mon, 15 Dec 2025 07:00:10 +0000",
        f"X-Failed-Recipients: {reader}",
        "Auto-Submitted: auto-replied",
        "From: Mail Delivery System <Mailer-Daemon@mail.reader.example>",
        f"To: {to}",
        f"Content-Type: multipart/report; report-type=delivery-status; boundary={boundary}",
        "MIME-Version: 1.0",
        "Subject: Mail delivery failed: returning message to sender",
        "Message-Id: <E1vV2ab-000abc-1x@mail.reader.example>",
        "Date: Mon, 15 Dec 2025 07:00:10 +0000",
        "",
        f"--{boundary}",
        "Content-type: text/plain; charset=us-ascii",
        "",
        "This message was created automatically by mail delivery software.",
        "",
        f"  {reader}",
        "    host mx.reader.example [192.0.2.26]",
        f"    SMTP error from remote mail server after RCPT TO:<{reader}>:",
        "    550 No Such User Here",
        "",
        f"--{boundary}",
        "Content-type: message/delivery-status",
        "",
        "Reporting-MTA: dns; mail.reader.example",
        "",
        "Action: failed",
        f"Final-Recipient: rfc822;{reader}",
        "Status: 5.0.0",
        "Remote-MTA: dns; mx.reader.example",
        "Diagnostic-Code: smtp; 550 No Such User Here",
        "",
        f"--{boundary}",
        "Content-type: message/rfc822",
        "",
        f"Return-path: <{to}>",
        header,
        "",
        "The text that was sent.",
        "",
        f"--{boundary}--",
    )


def gmail(to: str, reader: str, header: str) -> bytes:
    return _join(
        f"Delivered-To: {to}",
        "Return-Path: <>",
        "From: Mail Delivery Subsystem <mailer-daemon@googlemail.example>",
        f"To: {to}",
        "Auto-Submitted: auto-replied",
        "Subject: Delivery Status Notification (Failure)",
        "In-Reply-To: " + _value(header, "Message-ID"),
        "References: " + _value(header, "Message-ID"),
        f"X-Failed-Recipients: {reader}",
        "Message-ID: <693fb0ba.050a0220.1b2c3d.GMR@mx.google.example>",
        "Date: Sun, 14 Dec 2025 23:00:10 -0800 (PST)",
        'Content-Type: multipart/report; boundary="000000000000aa11bb064600cc22";'
        " report-type=delivery-status",
        "",
        "--000000000000aa11bb064600cc22",
        'Content-Type: multipart/related; boundary="000000000000aa11c3064600cc25"',
        "",
        "--000000000000aa11c3064600cc25",
        'Content-Type: text/plain; charset="UTF-8"',
        "",
        "** Address not found **",
        "",
        f"Your message wasn't delivered to {reader} because the address couldn't be found.",
        "",
        "--000000000000aa11c3064600cc25--",
        "--000000000000aa11bb064600cc22",
        "Content-Type: message/delivery-status",
        "",
        "Reporting-MTA: dns; googlemail.example",
        "Arrival-Date: Sun, 14 Dec 2025 23:00:08 -0800 (PST)",
        "X-Original-Message-ID: " + _value(header, "Message-ID"),
        "",
        f"Final-Recipient: rfc822; {reader}",
        "Action: failed",
        "Status: 5.1.1",
        "Remote-MTA: dns; gmail-smtp-in.l.google.example. (192.0.2.27, the server for the domain)",
        "Diagnostic-Code: smtp; 550-5.1.1 The email account that you tried to reach does not exist."
        " Please try",
        " 550-5.1.1 double-checking the recipient's email address for typos or",
        " 550-5.1.1 unnecessary spaces. For more information, go to",
        " 550 5.1.1  https://support.google.example/mail/?p=NoSuchUser 4fb4d7f45d1cf-si12 - gsmtp",
        "Last-Attempt-Date: Sun, 14 Dec 2025 23:00:10 -0800 (PST)",
        "",
        "--000000000000aa11bb064600cc22",
        "Content-Type: message/rfc822",
        "",
        header,
        "",
        "The text that was sent.",
        "",
        "--000000000000aa11bb064600cc22--",
    )


def office365(to: str, reader: str, header: str) -> bytes:
    """Exchange Online: the status part is in quoted-printable, and the reader in angle brackets."""
    boundary = "f3b1d0a5-4c2e-4d35-8f4f-0a1b2c3d4e5f"
    return _join(
        "From: <postmaster@reader.example>",
        f"To: <{to}>",
        "Date: Mon, 15 Dec 2025 07:00:12 +0000",
        "Content-Type: multipart/report; report-type=delivery-status;",
        f'\tboundary="{boundary}"',
        "X-MS-Exchange-Message-Is-Ndr:",
        "Content-Language: en-US",
        "Message-ID: <a1b2c3d4-0000-4000-8000-112233445566@DB7PR01MB0000.prod.example>",
        "In-Reply-To: " + _value(header, "Message-ID"),
        "References: " + _value(header, "Message-ID"),
        "Subject: Undeliverable: Today's Highlights",
        "Auto-Submitted: auto-replied",
        "",
        f"--{boundary}",
        "Content-Type: multipart/alternative; differences=Content-Type;",
        '\tboundary="c7f8a9b0-1111-4222-9333-445566778899"',
        "",
        "--c7f8a9b0-1111-4222-9333-445566778899",
        'Content-Type: text/plain; charset="us-ascii"',
        "Content-Transfer-Encoding: quoted-printable",
        "",
        f"Your message to {reader} couldn't be delivered.=20",
        "",
        "--c7f8a9b0-1111-4222-9333-445566778899--",
        "",
        f"--{boundary}",
        "Content-Type: message/delivery-status",
        "Content-Transfer-Encoding: quoted-printable",
        "",
        "Reporting-MTA: dns;DB7PR01MB0000.prod.example",
        "Received-From-MTA: dns;mx.daily.example",
        "Arrival-Date: Mon, 15 Dec 2025 07:00:11 +0000",
        "",
        f"Final-Recipient: rfc822;{reader}",
        "Action: failed",
        "Status: 5.1.10",
        "Diagnostic-Code: smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not =",
        "found by SMTP address lookup",
        "",
        f"--{boundary}",
        "Content-Type: message/rfc822",
        "",
        header,
        "",
        f"--{boundary}--",
    )


def sendmail(to: str, reader: str, header: str) -> bytes:
    return _join(
        "Received: from localhost (localhost)",
        "\tby mail.reader.example (8.17.1/8.17.1) id 5BF70Cxx012345;",
        "\tMon, 15 Dec 2025 07:00:12 GMT",
        "Date: Mon, 15 Dec 2025 07:00:12 GMT",
        "From: Mail Delivery Subsystem <MAILER-DAEMON@mail.reader.example>",
        "Message-Id: <202512150700.5BF70Cxx012345@mail.reader.example>",
        f"To: <{to}>",
        "MIME-Version: 1.0",
        "Content-Type: multipart/report; report-type=delivery-status;",
        '\tboundary="5BF70Cxx012345.1765782012/mail.reader.example"',
        "Subject: Returned mail: see transcript for details",
        "Auto-Submitted: auto-generated (failure)",
        "",
        "This is a MIME-encapsulated message",
        "",
        "--5BF70Cxx012345.1765782012/mail.reader.example",
        "",
        "The original message was received at Mon, 15 Dec 2025 07:00:11 GMT",
        "from mx.daily.example [192.0.2.1]",
        "",
        "   ----- The following addresses had permanent fatal errors -----",
        f"<{reader}>",
        f"    (reason: 550 5.1.1 <{reader}>... User unknown)",
        "",
        "--5BF70Cxx012345.1765782012/mail.reader.example",
        "Content-Type: message/delivery-status",
        "",
        "Reporting-MTA: dns; mail.reader.example",
        "Received-From-MTA: DNS; mx.daily.example",
        "Arrival-Date: Mon, 15 Dec 2025 07:00:11 GMT",
        "",
        f"Final-Recipient: RFC822; {reader}",
        "Action: failed",
        "Status: 5.1.1",
        "Remote-MTA: DNS; mail.reader.example",
        f"Diagnostic-Code: SMTP; 550 5.1.1 <{reader}>... User unknown",
        "Last-Attempt-Date: Mon, 15 Dec 2025 07:00:12 GMT",
        "",
        "--5BF70Cxx012345.1765782012/mail.reader.example",
        "Content-Type: text/rfc822-headers",
        "",
        f"Return-Path: <{to}>",
        header,
        "",
        "--5BF70Cxx012345.1765782012/mail.reader.example--",
    )


def qmail(
    to: str,
    reader: str,
    header: str,
    *,
    said: str = "Sorry, no mailbox here by that name. (#5.1.1)",
) -> bytes:
    """qmail's own form, QSBMF: no MIME, no report."""
    return _join(
        "Return-Path: <>",
        f"Delivered-To: {to}",
        "Received: (qmail 4711 invoked for bounce); 15 Dec 2025 07:00:12 -0000",
        "Date: 15 Dec 2025 07:00:12 -0000",
        "From: MAILER-DAEMON@mail.reader.example",
        f"To: {to}",
        "Subject: failure notice",
        "",
        "Hi. This is the qmail-send program at mail.reader.example.",
        "I'm afraid I wasn't able to deliver your message to the following addresses.",
        "This is a permanent error; I've given up. Sorry it didn't work out.",
        "",
        f"<{reader}>:",
        said,
        "",
        "--- Below this line is a copy of the message.",
        "",
        f"Return-Path: <{to}>",
        header,
        "",
        "The text that was sent.",
    )


def yahoo_complaint(
    to: str, reader: str, header: str, *, kind: str = "abuse", named: bool = True
) -> bytes:
    """Yahoo's feedback loop: RFC 5965, to an address of its own."""
    return _join(
        "Return-Path: <feedback@arf.mail.yahoo.example>",
        "From: Yahoo! Mail AntiSpam Feedback <feedback@arf.mail.yahoo.example>",
        "To: fbl@daily.example",
        "Date: Mon, 15 Dec 2025 08:30:00 +0000",
        "Message-ID: <1765787400.fbl.aa11@arf.mail.yahoo.example>",
        "Subject: FW:Today's Highlights",
        "MIME-Version: 1.0",
        'Content-Type: multipart/report; boundary="part1_aa11"; report-type=feedback-report',
        "",
        "--part1_aa11",
        'Content-Type: text/plain; charset="US-ASCII"',
        "",
        "This is an email abuse report for an email message from daily.example",
        "",
        "--part1_aa11",
        "Content-Type: message/feedback-report",
        "",
        f"Feedback-Type: {kind}",
        "User-Agent: Yahoo!-Mail-Feedback/2.0",
        "Version: 0.1",
        f"Original-Mail-From: <{to}>",
        f"Original-Rcpt-To: {reader if named else 'redacted'}",
        "Received-Date: Mon, 15 Dec 2025 07:00:06 +0000",
        "Reported-Domain: daily.example",
        "Authentication-Results: dkim=pass header.d=daily.example",
        "",
        "--part1_aa11",
        "Content-Type: message/rfc822",
        "Content-Disposition: inline",
        "",
        header,
        "",
        "The text that was sent.",
        "",
        "--part1_aa11--",
    )


def unsubscribe_mail(to: str, token: str, *, number: int = 1, before: str = "") -> bytes:
    """What a mail program sends to the mailto of List-Unsubscribe."""
    return _join(
        "From: Ada <ada@reader.example>",
        f"To: {to}",
        f"Subject: {before}unsubscribe {token}",
        f"Message-ID: <{number}.leave@reader.example>",
        "Date: Mon, 15 Dec 2025 09:00:00 +0000",
        "",
        "This message was automatically generated by a mail program.",
    )


def vacation(to: str, reader: str, header: str) -> bytes:
    """A reader's own holiday, which some programs send to the envelope sender."""
    return _join(
        "Return-Path: <>",
        f"Delivered-To: {to}",
        f"From: {reader}",
        f"To: {to}",
        "Subject: Automatic reply: Today's Highlights",
        "Auto-Submitted: auto-replied (vacation)",
        "In-Reply-To: " + _value(header, "Message-ID"),
        "",
        "The mailbox of this user is not read until January: user unknown here till then.",
    )


def answer(to: str, reader: str, header: str) -> bytes:
    """A person's answer, with all of our names in it."""
    return _join(
        f"From: {reader}",
        f"To: {to}",
        "Subject: Re: Today's Highlights",
        "In-Reply-To: " + _value(header, "Message-ID"),
        "References: " + _value(header, "Message-ID"),
        "",
        "My neighbour got: 550 5.1.1 user unknown. What is that?",
        "",
        header,
    )


def _value(header: str, name: str) -> str:
    for line in header.split("\r\n"):
        if line.lower().startswith(f"{name.lower()}:"):
            return line.partition(":")[2].strip()
    return ""


# Bounces of a dead mailbox, whatever the server.
DEAD: dict[str, Sample] = {
    "postfix": postfix,
    "exim": exim,
    "gmail": gmail,
    "office365": office365,
    "sendmail": sendmail,
    "qmail": qmail,
}
