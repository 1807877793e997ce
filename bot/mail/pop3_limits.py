"""Every bound on a POP3 session, in one place.

Durations count the time spent waiting for the server; what our own storing takes between two reads is not
the server's fault and counts for nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Limits:
    """How long, how much and how many; the defaults suit the internet, tests take small ones.

    Attributes:
        connect: for the look-up of the name and TCP, over all addresses together.
        handshake: for TLS.
        command: from the moment a command is the oldest unanswered one to the end of its status line.
        session: for all waiting together, plus one second for each `allowance_octets` received.
        progress_octets: a second, the least a listing or message must bring, judged over `progress_window`.
        farewell: how long a close may take before the socket is cut.
        status_octets: a status line, and one line of a listing.
        capability_octets: the answer to CAPA.
        listing_lines, listing_octets: the answer to UIDL or LIST.
        uid_octets: one UID; RFC 1939 says 70, the field has longer ones.
        message_octets: a message as it arrives, whatever LIST said.
        top_octets: what is kept of the answer to TOP.
        pipelining: False sends one command at a time, for a server that misbehaved.
        window: commands in flight at most; RETRs to a server further away than `near` up to four times as many.
        shared_window: RETRs in flight over all sessions with one host, where there are several; at least one each.
        first_window: RETRs in flight when the way to the server is short; see `pop3_retrieval.Window`.
        message_time: how long storing a message takes at least; so many more are sent as the way can hold.
        window_octets: messages in flight at most, by their expected sizes; the same holds for them.
        near: a round trip up to which the windows are as they stand here.
        command_octets: unanswered octets we send at most. Socket buffers hold that much, so a server that
            does not read while it writes cannot end in a deadlock.
        buffer_octets: received and not yet consumed; beyond it reading stops until the consumer is through.
    """

    connect: timedelta = timedelta(seconds=10)
    handshake: timedelta = timedelta(seconds=10)
    command: timedelta = timedelta(seconds=30)
    session: timedelta = timedelta(seconds=120)
    allowance_octets: int = 4 * 1024
    progress_octets: int = 1000
    progress_window: timedelta = timedelta(seconds=30)
    farewell: timedelta = timedelta(seconds=2)

    status_octets: int = 4096
    capability_octets: int = 16 * 1024
    listing_lines: int = 500_000
    listing_octets: int = 24 * 1024 * 1024
    uid_octets: int = 1024
    message_octets: int = 64 * 1024 * 1024
    top_octets: int = 512 * 1024

    pipelining: bool = True
    window: int = 32
    shared_window: int = 8
    first_window: int = 2
    message_time: timedelta = timedelta(milliseconds=5)
    window_octets: int = 1024 * 1024
    near: timedelta = timedelta(milliseconds=35)
    command_octets: int = 1024
    buffer_octets: int = 512 * 1024
