"""Octets that look like mail in all the wrong ways, for properties."""

from __future__ import annotations

from hypothesis import strategies as st

FRAGMENTS = [
    b"From: ", b"To: ", b"a@b.c", b"Subject: ", b"=?utf-8?q?", b"?=", b"=?iso-2022-jp?b?", b"\n", b"\r\n", b"\n\n", b"--b", b"--b--",
    b'"', b"Content-Type: multipart/alternative; boundary=b\n", b"Content-Type: multipart/mixed; boundary=b\n",
    b"Content-Type: text/html\n", b"Content-Transfer-Encoding: base64\n", b"Content-Transfer-Encoding: x-uuencode\n",
    b"Content-Type: message/rfc822\n", b"charset=utf-16", b"charset=utf-7", b"<", b">", b"<p>", b"<a href=", b"https://x.y/",
    b"\x1b$B", b"\xff\xfe", b"\0", b"&#8238;", b"Content-Disposition: attachment; filename*0*=", b"''%C3", b"; ", b"(", b"\\",
    b"Date: Mon, 23 Nov 2026 10:00:00 +0000\n", b"Date: ", b"<!channel>", b"<@U1>", b"<!date^1^x|y>", b"begin 644 x\nM", b"Reply-To: x@y.z\n",
]  # fmt: skip

_pieces = st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.binary(max_size=12)), max_size=60).map(b"".join)

mail_octets = st.one_of(
    st.binary(max_size=400), _pieces, _pieces.map(lambda octets: b"From: a@b.c\nSubject: x\n" + octets)
)
