"""What stands below a text is folded when a mark announces it; what a person wrote above the mark never is."""

from __future__ import annotations

import pytest

from bot.mail import html_text, plain_text, quotes
from bot.mail.lines import readable
from bot.mail.quotes import Fold, Relation

OWN = "Yes, Tuesday is fine.\n\nBest regards\nAda"
DISCLAIMER = (
    "This e-mail and its attachments are confidential and meant for the intended recipient. "
    "If you received this message in error, please delete it."
)


def split(text: str, known: Relation = Relation.UNKNOWN) -> Fold:
    """A plain text, parted."""
    return quotes.folded([plain_text.parsed(text)], known)


@pytest.mark.parametrize(
    "below",
    [
        "-- \nAda Lovelace\nEngine House\n+44 20 7946 0000",
        "--\nAda Lovelace",
        "-- ",
        "—\nAda",
        "Sent from my iPhone",
        "Sent from my BlackBerry",
        "Sent from my Verizon Wireless BlackBerry",
        "Sent from a magnificent torch of pixels",
        "Sent from Mail for Windows 10",
        "Sent from Outlook for Android<https://aka.example/x>",
        "Sent with Proton Mail secure email.",
        "Sent from my phone, please excuse typos",
        "Get Outlook for iOS<https://aka.example/o0ukef>",
        "Von meinem iPhone gesendet",
        "Gesendet von Mail für Windows",
        "Diese Nachricht wurde von meinem Android-Mobiltelefon mit GMX Mail gesendet.",
        "Envoyé de mon iPhone",
        "Envoyé à partir de Outlook pour Android",
        "Télécharger Outlook pour iOS",
        "Enviado desde mi iPhone",
        "Obtener Outlook para Android",
        "Enviado do meu iPhone",
        "Enviado de meu Samsung Galaxy",
        "Inviato da iPhone",
        "Ottieni Outlook per iOS",
        "Verstuurd vanaf mijn iPhone",
        "Verzonden vanaf Outlook voor Android",
        "Sendt fra min iPhone",
        "Skickat från min iPhone",
        "Lähetetty iPhonesta",
        "Wysłane z iPhone'a",
        "Odesláno z iPhonu",
        "Odoslané z iPhonu",
        "Elküldve az iPhone készülékemről",
        "Trimis de pe iPhone-ul meu",
        "Отправлено с iPhone",
        "Надіслано з iPhone",
        "Изпратено от моя iPhone",
        "Poslano s mog iPhonea",
        "iPhone'umdan gönderildi",
        "Στάλθηκε από το iPhone μου",
        "Saadetud minu iPhone'ist",
        "נשלח מה-iPhone שלי",
        "أُرسلت من الـ iPhone",
        "发自我的iPhone",
        "從我的 iPhone 傳送",
        "iPhoneから送信",
        "나의 iPhone에서 보냄",
        "Đã gửi từ iPhone của tôi",
        "Dikirim dari iPhone saya",
        "ส่งจาก iPhone ของฉัน",
        DISCLAIMER,
        "-- \nAda\n\n" + DISCLAIMER,
        DISCLAIMER + "\n\nAnalytical Engines Ltd, London",
        "Please consider the environment before printing this e-mail.",
        "Diese E-Mail ist vertraulich. Wenn Sie nicht der richtige Adressat sind oder diese irrtümlich erhalten haben, löschen Sie sie.",
        "Ce message est confidentiel. Si vous n'êtes pas le destinataire de ce message, merci de le détruire sans en prendre copie.",
        "_______________________________________________\nriak-users mailing list\nriak-users@lists.example",
        "-- \nYou received this message because you are subscribed to the Google Groups group.",
        "---\nReply to this email directly or view it on GitHub:\nhttps://github.example/1",
        "Sent from my iPhone\n\n-- \nAda\n\n_______________\nx mailing list",
    ],
)
def test_signature_is_folded(below: str) -> None:
    """Signatures, telephones, disclaimers and footers go, with a quote above or below them too."""
    quote = "On Wed, Oct 27, 2021 at 9:31 AM John Doe <john@acme.example> wrote:\n\n> Tuesday?"
    forms = {
        f"{OWN}\n\n{below}": (False, True),
        f"{OWN}\n\n{below}\n\n{quote}": (True, True),
        f"{OWN}\n\n{quote}\n\n{below}": (True, True),
    }
    for text, what in forms.items():
        fold = split(text)
        assert readable(fold.shown[0].lines) == OWN
        assert (fold.has_history, fold.has_signature) == what


@pytest.mark.parametrize(
    "text",
    [
        "And here is a fix -- this is not a signature.\n\nkthxbai",
        "Hello\n\nSent from my desk, is much easier then my mobile phone.",
        "Von meinem Chef habe ich gehört, dass es geht.",
        "Sent by Bob on Monday were four boxes. They have not come.",
        "Part one\n\n--\n\n" + "\n".join(f"Line {number} of part two" for number in range(20)),
        "Thanks!\n\nRegards,\nBob",
        "This is confidential. Tell nobody.",
        "> quoted\n> -- \n> Bob\n\nAn answer",
        "a\n\n---\n\nb",
    ],
)
def test_own_words_stay(text: str) -> None:
    """What only looks like the end of a mail is not folded."""
    assert split(text).folded == ()


def test_closing_above_a_disclaimer_stays() -> None:
    """A disclaimer without a blank line above it leaves the lines above alone."""
    fold = split("All is well.\n\nRegards\nBob\n" + DISCLAIMER)

    assert readable(fold.shown[0].lines) == "All is well.\n\nRegards\nBob"


@pytest.mark.parametrize(
    "html",
    [
        '<div class="gmail_signature" data-smartmail="gmail_signature">Ada<br>Engine House</div>',
        '<span class="gmail_signature_prefix">-- </span><br><div class="gmail_signature">Ada<div>Engine House</div></div>',
        '<pre class="moz-signature">-- \nAda\nEngine House</pre>',
        '<div id="Signature"><p>Ada</p><table><tr><td>Engine House</td></tr></table></div>',
        '<div id="ms-outlook-mobile-signature">Get <a href="https://x.example">Outlook for iOS</a></div>',
        '<div id="AppleMailSignature">Sent from my iPhone</div>',
        '<br><div class="protonmail_signature_block">Ada</div>',
        "<div>-- <br>Ada</div>",
    ],
)
def test_signature_of_a_page_is_folded(html: str) -> None:
    """Programs name the element that holds a signature."""
    page = html_text.parsed(f"<div>Yes.</div><p>Regards, Ada</p>{html}")

    fold = quotes.folded([page], Relation.UNKNOWN)

    assert readable(fold.shown[0].lines) == "Yes.\n\nRegards, Ada"
    assert fold.has_signature


def test_page_that_is_all_signature_is_shown() -> None:
    """A program that calls everything a signature hides nothing; one in the middle stays."""
    everything = html_text.parsed('<div class="gmail_signature">Hello</div>')
    middle = html_text.parsed('<div>a</div><div class="gmail_signature">Ada</div><div>PS: b</div>')

    assert quotes.folded([everything], Relation.UNKNOWN).folded == ()
    assert quotes.folded([middle], Relation.UNKNOWN).folded == ()
