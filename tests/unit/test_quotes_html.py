"""Quoted history of pages, by what mail programs call their elements."""

from __future__ import annotations

import pytest

from bot.mail import html_text, quotes
from bot.mail.lines import readable
from bot.mail.quotes import Fold, Relation

HEADER = "<b>From:</b> John &lt;j@x.example&gt;<br><b>Sent:</b> Monday 10:00<br><b>To:</b> Ada<br><b>Subject:</b> Our meeting"
UNKNOWN_HEADER = "<b>Xyz:</b> John<br><b>Abc:</b> Monday 10:00<br><b>Def:</b> Ada"

HISTORIES = {
    "Gmail": '<br><div class="gmail_quote"><div dir="ltr" class="gmail_attr">On Wed, Oct 27, 2021 at 9:31 AM John &lt;<a href="mailto:j@x.example">j@x.example</a>&gt; wrote:<br></div><blockquote class="gmail_quote" style="margin:0 0 0 .8ex;border-left:1px solid #ccc"><div dir="ltr">Tuesday?</div></blockquote></div>',
    "Gmail, unknown language": '<div class="gmail_quote"><div class="gmail_attr">Tlh 27 John<br></div><blockquote class="gmail_quote">Tuesday?<blockquote>Old</blockquote></blockquote></div>',
    "Gmail, old": '<div class="gmail_extra"><br><div class="gmail_quote">2014-06-26 14:00 GMT+04:00 John <span dir="ltr">&lt;<a href="mailto:j@x.example">j@x.example</a>&gt;</span>:<br><blockquote class="gmail_quote">Tuesday?</blockquote></div><br></div>',
    "Thunderbird": '<div class="moz-cite-prefix">Am 27.10.21 um 09:31 schrieb John:<br></div><blockquote type="cite" cite="mid:1@x"><p>Tuesday?</p></blockquote><br>',
    "Thunderbird, unknown language": '<div class="moz-cite-prefix">Tlh 27 John<br></div><blockquote type="cite"><p>Tuesday?</p></blockquote>',
    "Apple Mail": '<br><div><br><blockquote type="cite"><div>On 25 Oct 2021, at 11:43, John &lt;<a href="mailto:j@x.example">j@x.example</a>&gt; wrote:</div><br><div>Tuesday?</div></blockquote></div>',
    "iPhone": '<br><div dir="ltr">Sent from my iPhone</div><div dir="ltr"><br><blockquote type="cite">On 25 Oct 2021, at 11:43, John wrote:<br><br></blockquote></div><blockquote type="cite"><div dir="ltr">Tuesday?</div></blockquote>',
    "Outlook on the web": f'<div id="appendonsend"></div><hr style="display:inline-block;width:98%"><div id="divRplyFwdMsg" dir="ltr"><font>{HEADER}</font><div>&nbsp;</div></div><div>Tuesday?</div>',
    "Outlook on the web, unknown language": f'<div id="appendonsend"></div><hr><div id="divRplyFwdMsg">{UNKNOWN_HEADER}</div><div>Tuesday?</div>',
    "Outlook": f'<div><div style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0in 0in 0in"><p class="MsoNormal">{HEADER}<o:p></o:p></p></div></div><p class="MsoNormal">&nbsp;</p><p>Tuesday?</p>',
    "Outlook, unknown language": f'<div style="border:none;border-top:solid #B5C4DF 1.0pt"><p>{UNKNOWN_HEADER}</p></div><p>Tuesday?</p>',
    "Outlook for Mac": f'<div id="mail-editor-reference-message-container"><div><div style="border:none;border-top:solid #B5C4DF 1.0pt"><p>{HEADER}</p></div><p>Tuesday?</p></div></div>',
    "Outlook for Mac, old": f'<span id="OLK_SRC_BODY_SECTION"><div>{UNKNOWN_HEADER}</div><div>Tuesday?</div></span>',
    "Outlook on a telephone": f'<div id="ms-outlook-mobile-signature">Get Outlook for iOS</div><div class="ms-outlook-mobile-reference-message"><hr>{UNKNOWN_HEADER}<div>Tuesday?</div></div>',
    "Windows Mail": '<div data-signatureblock="true"><div><br></div></div><div style="padding-top: 5px; border-top-style: solid;"><div><b>От:</b>&nbsp;<a href="mailto:j@x.example">J</a><br><b>Отправлено:</b>&nbsp;четверг, 26 июня 2014 г. 15:05<br><b>Кому:</b>&nbsp;Ada</div></div><div>Tuesday?</div>',
    "Yahoo": '<div><br></div><div id="ydp9b1yahoo_quoted_58" class="ydp9byahoo_quoted"><div><div>On Thursday, September 4, 2025 at 11:30:41 AM EDT, John &lt;j@x.example&gt; wrote:</div><div><br></div><div>Tuesday?</div></div></div>',
    "Yahoo, unknown language": '<div class="yahoo_quoted"><div>Tlh 27 John</div><div>Tuesday?</div></div>',
    "Mail.ru": '<br><br>Thu, 26 Jun 2014 14:00:51 +0400 от John &lt;j@x.example&gt;:<br><blockquote style="border-left:1px solid #0857A6"><div>Tuesday?</div></blockquote><br>',
    "Proton": '<div class="protonmail_quote">------- Original Message -------<br>On Monday, June 5th, 2023 at 9:31 AM, John &lt;j@x.example&gt; wrote:<br><br><blockquote class="protonmail_quote" type="cite"><div>Tuesday?</div></blockquote></div>',
    "GMX": '<div name="quote" style="margin:10px 5px; border-left:2px solid #C3D9E5;"><div><b>Gesendet:</b> Montag, 5. Juni 2023 um 09:31 Uhr<br><b>Von:</b> John<br><b>An:</b> ada@home.example<br><b>Betreff:</b> x</div><div>Tuesday?</div></div>',
    "QQ": '<div><br></div><div style="font-size:12px">------------------&nbsp;原始邮件&nbsp;------------------</div><div><b>发件人:</b> "John"<br><b>发送时间:</b> 2021年10月27日<br><b>收件人:</b> Ada<br><b>主题:</b> x</div><div>Tuesday?</div>',
    "a plain quote": "<blockquote>Tuesday?</blockquote>",
}


def split(html: str, known: Relation = Relation.REPLY) -> Fold:
    """A page, parted."""
    return quotes.folded([html_text.parsed(html)], known)


@pytest.mark.parametrize("history", HISTORIES.values(), ids=HISTORIES.keys())
@pytest.mark.parametrize("own", ["<div>Yes.</div><p>Ada</p>", '<p class="MsoNormal">Yes.</p><p>Ada</p>'])
def test_history_of_a_reply_is_folded(history: str, own: str) -> None:
    """Each program's quote goes, with the line or the fields that name who is quoted."""
    fold = split(f"<html><body>{own}{history}</body></html>")

    assert readable(fold.shown[0].lines) == "Yes.\n\nAda"
    assert fold.has_history
    assert "Tuesday?" in fold.folded[0].full


@pytest.mark.parametrize("history", HISTORIES.values(), ids=HISTORIES.keys())
def test_forward_is_content(history: str) -> None:
    """The same below the subject of a forwarded message stays."""
    fold = split(f"<div>For you.</div>{history}", Relation.FORWARD)

    assert not fold.has_history
    assert "Tuesday?" in fold.shown[0].full


@pytest.mark.parametrize("history", HISTORIES.values(), ids=HISTORIES.keys())
def test_page_that_only_quotes_is_shown(history: str) -> None:
    """An empty answer shows what it answers."""
    assert "Tuesday?" in "\n".join(each.full for each in split(f"<body>{history}</body>").shown)


@pytest.mark.parametrize(
    "html",
    [
        '<div class="gmail_quote"><div class="gmail_attr">On Wed, Oct 27, 2021 at 9:31 AM John wrote:</div><blockquote class="gmail_quote">Tuesday?</blockquote><div>No.</div><blockquote class="gmail_quote">Friday?</blockquote><div>Yes.</div></div>',
        '<div class="moz-cite-prefix">On 27/10/2021 09:31, John wrote:</div><blockquote type="cite">Tuesday?</blockquote>No.<br><blockquote type="cite">Friday?</blockquote><p>Yes.</p><div class="moz-signature">-- <br>Ada</div>',
        '<div>Hi</div><blockquote type="cite">Tuesday?</blockquote><div>No.</div><blockquote type="cite">Friday? And more</blockquote>',
    ],
)
def test_answers_among_quotes_stay_whole(html: str) -> None:
    """Answers between the pieces of a quote keep the quote around them."""
    fold = split(html)

    assert not fold.has_history
    assert "Tuesday?" in fold.shown[0].full


@pytest.mark.parametrize(
    "html",
    [
        '<div>Look.</div><div class="gmail_quote"><div class="gmail_attr">---------- Forwarded message ---------<br>From: John<br>Date: x<br>Subject: y</div>Hello<div class="gmail_quote"><div class="gmail_attr">On 1 May 2021 at 10:00 Bob wrote:</div><blockquote class="gmail_quote">Old</blockquote></div></div>',
        '<div>Look.</div><div><br><blockquote type="cite"><div>Begin forwarded message:</div><br><div><b>From: </b>John</div><div>Hello</div></blockquote></div>',
        '<p>Look.</p><div class="moz-forward-container"><br>-------- Forwarded Message --------<table class="moz-email-headers-table"><tr><th>Subject: </th><td>y</td></tr><tr><th>From: </th><td>John</td></tr></table><p>Hello</p></div>',
    ],
)
@pytest.mark.parametrize("known", Relation)
def test_forwarded_page_is_content(html: str, known: Relation) -> None:
    """What is forwarded is shown, whatever program did it."""
    assert split(html, known).folded == ()


def test_names_without_history_fold_nothing() -> None:
    """A line above a paragraph, or the place where an answer would have gone, is no history by itself."""
    line = '<div>Hello</div><div style="border-top:solid 1px">Our prices</div><div>Cheap: all</div>'
    empty = '<div>Hello</div><div id="appendonsend"></div><div>More words</div>'

    assert split(line).folded == ()
    assert split(empty).folded == ()
