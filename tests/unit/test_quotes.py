"""Quoted history of mails in plain text: folded when it only stands at the end of a reply, in any language."""

from __future__ import annotations

import textwrap

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.mail import plain_text, quotes
from bot.mail.lines import readable
from bot.mail.quotes import Fold, Relation

OWN = "Yes, Tuesday is fine.\n\nBest regards\nAda"


def split(text: str, known: Relation = Relation.REPLY) -> Fold:
    """A plain text, parted."""
    return quotes.folded([plain_text.parsed(text)], known)


def shown(text: str, known: Relation = Relation.REPLY) -> str:
    """What a post shows of a plain text."""
    return "\n".join(readable(each.lines) for each in split(text, known).shown)


ATTRIBUTIONS = [
    "On Wed, Oct 27, 2021 at 9:31 AM John Doe <john@acme.example> wrote:",
    "On 25 Oct 2021, at 11:43, John Doe <john@acme.example> wrote:",
    "On Tue, 2011-03-01 at 18:02 +0530, John Doe wrote:",
    "On 01/03/11 7:07 PM, John Doe wrote:",
    "Am Mi., 27. Okt. 2021 um 09:31 Uhr schrieb John Doe <john@acme.example>:",
    'Am 28/10/2021, 12:46 schrieb "John Doe" <john@acme.example>:',
    "John Doe <john@acme.example> schrieb am Mi., 27. Okt. 2021, 09:31:",
    "Le mer. 27 oct. 2021 à 09:31, John Doe <john@acme.example> a écrit :",
    "El mié, 27 oct 2021 a las 9:31, John Doe (<john@acme.example>) escribió:",
    "Em qua., 27 de out. de 2021 às 09:31, John Doe <john@acme.example> escreveu:",
    "Il giorno mer 27 ott 2021 alle ore 09:31 John Doe <john@acme.example> ha scritto:",
    "Op wo 27 okt. 2021 om 09:31 schreef John Doe <john@acme.example>:",
    "Op 28/10/2021 12:46 heeft John Doe <john@acme.example> geschreven:",
    "Den ons. 27. okt. 2021 kl. 09.31 skrev John Doe <john@acme.example>:",
    "ons. 27. okt. 2021 kl. 09:31 skrev John Doe <john@acme.example>:",
    "Den ons 27 okt. 2021 kl 09:31 skrev John Doe <john@acme.example>:",
    "ke 27. lokak. 2021 klo 9.31 John Doe (john@acme.example) kirjoitti:",
    "śr., 27 paź 2021 o 09:31 John Doe <john@acme.example> napisał(a):",
    "W dniu 27.10.2021 o 09:31, John Doe pisze:",
    "st 27. 10. 2021 v 9:31 odesílatel John Doe <john@acme.example> napsal:",
    "st 27. 10. 2021 o 9:31 John Doe <john@acme.example> napísal(a):",
    "John Doe <john@acme.example> ezt írta (időpont: 2021. okt. 27., Sze, 9:31):",
    "În mie., 27 oct. 2021 la 09:31, John Doe <john@acme.example> a scris:",
    "ср, 27 окт. 2021 г. в 09:31, John Doe <john@acme.example>:",
    '28/10/2021, 12:46 пользователь "John Doe" <john@acme.example> написал:',
    "ср, 27 жовт. 2021 р. о 09:31 John Doe <john@acme.example> пише:",
    "На ср, 27.10.2021 г. в 9:31 John Doe <john@acme.example> написа:",
    "Dana sri, 27. lis 2021. u 09:31 John Doe <john@acme.example> napisao je:",
    "V V sre., 27. okt. 2021 ob 09:31 je oseba John Doe <john@acme.example> napisala:",
    "John Doe <john@acme.example>, 27 Eki 2021 Çar, 09:31 tarihinde şunu yazdı:",
    "Στις Τετ 27 Οκτ 2021 στις 9:31 π.μ., ο χρήστης John Doe <john@acme.example> έγραψε:",
    "Kuupäev K, 27. oktoober 2021 kell 09:31 kirjutas John Doe <john@acme.example>:",
    "trešd., 2021. g. 27. okt., plkst. 09:31 — lietotājs John Doe (<john@acme.example>) rakstīja:",
    "2021-10-27, tr, 09:31 John Doe <john@acme.example> rašė:",
    "El dc., 27 d’oct. 2021, 9:31, John Doe <john@acme.example> va escriure:",
    "בתאריך יום ד׳, 27 באוק׳ 2021 ב-9:31 מאת John Doe <john@acme.example>:",
    "في الأربعاء، ٢٧ أكتوبر ٢٠٢١ في ٩:٣١ ص تمت كتابة ما يلي بواسطة John Doe <john@acme.example>:",
    "John Doe <john@acme.example> 于2021年10月27日周三 09:31写道：",
    "在 2021年10月27日 09:31，John Doe <john@acme.example> 写道：",
    "John Doe <john@acme.example> 於 2021年10月27日 週三 上午9:31寫道：",
    "2021年10月27日(水) 9:31 John Doe <john@acme.example>:",
    "2021年10月27日 9:31、John Doe <john@acme.example>のメール:",
    "2021년 10월 27일 (수) 오전 9:31, John Doe <john@acme.example>님이 작성:",
    "Vào Th 4, 27 thg 10, 2021 vào lúc 09:31 John Doe <john@acme.example> đã viết:",
    "Pada tanggal Rab, 27 Okt 2021 pukul 09.31 John Doe <john@acme.example> menulis:",
    "เมื่อ พ. 27 ต.ค. 2021 เวลา 09:31 John Doe <john@acme.example> เขียนว่า:",
    "---- On Wed, 27 Oct 2021 09:31:00 +0000 john@acme.example wrote ----",
]


@pytest.mark.parametrize("line", ATTRIBUTIONS)
def test_history_below_an_attribution_is_folded(line: str) -> None:
    """In each language the line that names who is quoted goes with the quote, with quote marks or without."""
    marked = split(f"{OWN}\n\n{line}\n\n> Tuesday or Friday?\n>> The old question\n", Relation.UNKNOWN)
    bare = split(f"{OWN}\n\n{line}\n\nTuesday or Friday?\n\nJohn\n")

    for fold in (marked, bare):
        assert readable(fold.shown[0].lines) == OWN
        assert fold.has_history
        assert "Tuesday or Friday?" in fold.folded[0].full


@pytest.mark.parametrize("line", [each for each in ATTRIBUTIONS if each.count(" ") > 5 and each[0] != "-"])
@pytest.mark.parametrize("width", [76, 60, 50, 40])
def test_attribution_over_several_lines_is_folded(line: str, width: int) -> None:
    """A line that names who is quoted may be broken into two or three."""
    broken = textwrap.fill(line, width, break_long_words=False)

    assert shown(f"{OWN}\n\n{broken}\n\n> Tuesday or Friday?") == OWN


@pytest.mark.parametrize(
    "text",
    [
        "On Dec 16, 2011, at 12:47 PM, Corey Donohoe\n<reply@reply.example>\nwrote:\n\n> Was this fixed?",
        "On Tue, Sep 25, 2012 at 8:59 AM, Chris Wanstrath\n<notifications@github.example>wrote:\n> Steps 0-2",
        "Am Fr., 28. Nov. 2025 um 15:57 Uhr schrieb Test Mailer <\ntesting@testing.example>:\n\n> Test",
        "pe 20. lokakuuta 2017 klo 17.50 John Coe\n<s.i@test.example> kirjoitti:\n\nThanks!",
        "On July 19, 2022 at 3:36 PM, John Doe\n(john@acme.example) wrote:\n> Unicum",
    ],
)
def test_attributions_of_real_programs(text: str) -> None:
    """So programs break the line."""
    assert shown(f"{OWN}\n{text}") == OWN


HEADERS = {
    "en": ("From", "Sent", "To", "Subject"),
    "de": ("Von", "Gesendet", "An", "Betreff"),
    "fr": ("De\u00a0", "Envoyé\u00a0", "À\u00a0", "Objet\u00a0"),
    "es": ("De", "Enviado el", "Para", "Asunto"),
    "pt": ("De", "Enviada em", "Para", "Assunto"),
    "it": ("Da", "Inviato", "A", "Oggetto"),
    "nl": ("Van", "Verzonden", "Aan", "Onderwerp"),
    "da": ("Fra", "Sendt", "Til", "Emne"),
    "sv": ("Från", "Skickat", "Till", "Ämne"),
    "fi": ("Lähettäjä", "Lähetetty", "Vastaanottaja", "Aihe"),
    "pl": ("Od", "Wysłano", "Do", "Temat"),
    "cs": ("Od", "Odesláno", "Komu", "Předmět"),
    "sk": ("Od", "Odoslané", "Komu", "Predmet"),
    "hu": ("Feladó", "Elküldve", "Címzett", "Tárgy"),
    "ro": ("De la", "Trimis", "Către", "Subiect"),
    "ru": ("От", "Отправлено", "Кому", "Тема"),
    "uk": ("Від", "Надіслано", "Кому", "Тема"),
    "bg": ("От", "Изпратено", "До", "Относно"),
    "hr": ("Šalje", "Poslano", "Prima", "Predmet"),
    "sl": ("Od", "Poslano", "Za", "Zadeva"),
    "tr": ("Kimden", "Gönderildi", "Kime", "Konu"),
    "el": ("Από", "Στάλθηκε", "Προς", "Θέμα"),
    "et": ("Saatja", "Saadetud", "Adressaat", "Teema"),
    "lv": ("No", "Nosūtīts", "Kam", "Temats"),
    "lt": ("Nuo", "Išsiųsta", "Kam", "Tema"),
    "he": ("מאת", "נשלח", "אל", "נושא"),
    "ar": ("من", "تم الإرسال", "إلى", "الموضوع"),
    "zh": ("发件人", "发送时间", "收件人", "主题"),
    "tw": ("寄件者", "寄件日期", "收件者", "主旨"),
    "ja": ("差出人", "送信日時", "宛先", "件名"),
    "ko": ("보낸 사람", "보낸 날짜", "받는 사람", "제목"),
    "vi": ("Từ", "Đã gửi", "Đến", "Chủ đề"),
    "id": ("Dari", "Dikirim", "Kepada", "Perihal"),
}


@pytest.mark.parametrize("labels", HEADERS.values(), ids=HEADERS.keys())
@pytest.mark.parametrize("above", ["", "________________________________\n", "-----Original Message-----\n"])
@pytest.mark.parametrize("form", ["{}: {}", "*{}:* {}"])
def test_history_below_a_header_is_folded(labels: tuple[str, ...], above: str, form: str) -> None:
    """In each language the fields that Outlook puts above the earlier message go with it, if it was answered."""
    values = ("John Doe <john@acme.example>", "Wednesday 10:00", "ada@home.example", "Our meeting")
    header = "\n".join(form.format(*pair) for pair in zip(labels, values, strict=True))
    text = f"{OWN}\n\n{above}{header}\n\nTuesday or Friday?\n"

    assert shown(text) == OWN
    assert split(text, Relation.UNKNOWN).folded == ()
    assert split(text, Relation.FORWARD).folded == ()


@pytest.mark.parametrize(
    "words",
    [
        "Original Message", "Ursprüngliche Nachricht", "Message d'origine", "Mensaje original", "Mensagem original",
        "Messaggio originale", "Oorspronkelijk bericht", "Oprindelig meddelelse", "Opprinnelig melding",
        "Ursprungligt meddelande", "Alkuperäinen viesti", "Oryginalna wiadomość", "Původní zpráva", "Pôvodná správa",
        "Eredeti üzenet", "Mesaj original", "Исходное сообщение", "Оригінальне повідомлення", "Izvorna poruka",
        "Orijinal Mesaj", "Αρχικό μήνυμα", "הודעה מקורית", "الرسالة الأصلية", "原始邮件", "元のメッセージ", "원본 메시지",
    ],
)  # fmt: skip
def test_history_below_its_title_is_folded(words: str) -> None:
    """In each language what programs write above the earlier message goes with it."""
    assert shown(f"{OWN}\n\n-----{words}-----\nTuesday or Friday?") == OWN
    assert shown(f"{OWN}\n\n-------- {words} --------\n\nTuesday or Friday?") == OWN


@pytest.mark.parametrize(
    "title",
    [
        "---------- Forwarded message ---------", "-------- Weitergeleitete Nachricht --------",
        "---------- Message transféré ---------", "----- Mensaje reenviado -----", "-------- Mensagem encaminhada --------",
        "-------- Messaggio Inoltrato --------", "---------- Doorgestuurd bericht ---------", "----- Videresendt meddelelse -----",
        "-------- Vidarebefordrat meddelande --------", "-------- Välitetty viesti / Fwd.Msg --------",
        "--- Treść przekazanej wiadomości ---", "-------- Přeposlaná zpráva --------", "-------- Továbbított üzenet --------",
        "-------- Mesaj redirecționat --------", "-------- Перенаправленное сообщение --------", "-------- İletilen İleti --------",
        "-------- Preposlaná správa --- Forwarded Message --------", "---------- メッセージを転送 ---------",
        "Begin forwarded message:", "Anfang der weitergeleiteten Nachricht:", "Début du message réexpédié :", "İleti başlangıcı:",
    ],
)  # fmt: skip
@pytest.mark.parametrize("known", Relation)
def test_forwarded_message_is_content(title: str, known: Relation) -> None:
    """What somebody forwards is shown, with the history that is in it, whatever the subject says."""
    text = f"{OWN}\n\n{title}\nFrom: John <j@x.example>\nDate: 1 May 2021\nSubject: x\n\nHello\n\nOn 1 May 2021 at 10:00 Bob <b@x.example> wrote:\n> Old"

    fold = split(text, known)

    assert fold.folded == ()
    assert "Hello" in fold.shown[0].full


@pytest.mark.parametrize("known", [Relation.FORWARD, Relation.UNKNOWN])
def test_forward_without_a_title_is_content(known: Relation) -> None:
    """What Outlook forwards bears no title: without a sign of an answer it stays."""
    text = f"For you.\n\nFrom: John <j@x.example>\nSent: 1 May 2021\nTo: Ada\nSubject: x\n\nHello\n\n{OWN}"

    assert split(text, known).folded == ()


@pytest.mark.parametrize(
    "text",
    [
        "On 1 May 2021 at 10:00 Bob <b@x.example> wrote:\n> Tuesday?\n\nNo.\n\n> Friday?\n\nYes.\n\n> Bob",
        "> Tuesday?\nNo.\n> Friday?\nYes.",
        "On 1 May 2021 at 10:00 Bob <b@x.example> wrote:\n> Tuesday?\n\nAn answer at the bottom.",
        "Hello\n\nOn 1 May 2021 at 10:00 Bob <b@x.example> wrote:\n> Tuesday?\nNo.\n> Friday?\nYes.\n> All the rest\n> of it",
    ],
)
@pytest.mark.parametrize("known", Relation)
def test_answers_among_quotes_stay_whole(text: str, known: Relation) -> None:
    """Who answers line by line is shown with the lines that are answered."""
    assert split(text, known) == Fold((plain_text.parsed(text),))


@pytest.mark.parametrize(
    "own",
    [
        "Please see my answers below in red.",
        "Antworten siehe unten.\n\nGruß\nAda",
        "Voir mes réponses ci-dessous.",
        "Ver abajo",
        "Vedi sotto",
        "Zie hieronder",
        "Se nedenfor.",
        "См. ниже",
        "回答见下",
        "下記をご覧ください。",
    ],
)
def test_quote_that_holds_the_answers_is_shown(own: str) -> None:
    """Who says that the answers stand below is taken at their word, with quote marks and without."""
    header = "From: Bob\nSent: Monday\nTo: Ada\nSubject: x"

    assert split(f"{own}\n\n{header}\n\nTuesday? Yes\nFriday? No").folded == ()
    assert split(f"{own}\n\nOn 1 May 2021 at 10:00 Bob <b@x.example> wrote:\n> Tuesday? Yes").folded == ()
    assert split(f"{own} {'And much more. ' * 30}\n\n{header}\n\nTuesday?").has_history


def test_signature_below_answers_among_quotes_is_folded() -> None:
    """The end below such answers is folded alone."""
    fold = split("> Tuesday?\nNo.\n> Friday?\nYes.\n\n-- \nAda")

    assert (fold.has_history, fold.has_signature) == (False, True)
    assert readable(fold.shown[0].lines) == "> Tuesday?\nNo.\n> Friday?\nYes."


@pytest.mark.parametrize(
    "text",
    [
        "> Tuesday?\n> Friday?",
        "On 1 May 2021 at 10:00 Bob <b@x.example> wrote:\n> Tuesday?",
        "-----Original Message-----\nFrom: Bob\nSent: 1 May\nTo: Ada\n\nTuesday?",
        "-- \nAda",
        "Sent from my iPhone\n\nOn 1 May 2021 at 10:00 Bob <b@x.example> wrote:\n> Tuesday?",
        "",
    ],
)
def test_quote_is_shown_when_nothing_else_remains(text: str) -> None:
    """A mail that only quotes shows what it quotes."""
    assert split(text) == Fold((plain_text.parsed(text),))


@pytest.mark.parametrize(
    "text",
    [
        "On Monday we meet.\nI wrote: all is well.\n\nBye",
        "In 2021 I wrote:\n\nA long letter about the sea.",
        "As Goethe wrote:\n> Über allen Gipfeln\n> ist Ruh",
        "Here is what came on 12.10.2021:\n\n- one\n- two",
        "From: Berlin\nTo: Paris\nby train",
        "The data comes From: our database, not From: external sources.",
        "2024-01-15 14:30:25\n2024/01/15 14:30:25\n\nAll of these are content.",
        "a > b\n-> c",
        "Call me at 10:30:\n\n+49 30 123456",
    ],
)
def test_own_words_that_look_alike_stay(text: str) -> None:
    """Own sentences with colons, dates and quotes are not taken for history."""
    assert split(text, Relation.UNKNOWN).folded == ()


@pytest.mark.parametrize(
    "own",
    [
        "I do not agree with what Bob wrote:",
        "I don't think so. On Monday 27.10.2021 Bob <b@x.example> wrote:",
        "The part of it that is not true is where he writes:",
    ],
)
def test_sentence_that_leads_to_a_quote_stays(own: str) -> None:
    """The line above a quote stays if somebody wrote it and no program did."""
    assert shown(f"{own}\n\n> Tuesday or Friday?") == own


def test_own_words_below_a_pasted_letter_stay() -> None:
    """Who says what he once wrote has not quoted the rest of the mail."""
    text = "Here is what I wrote on 12.03.2021 at 10:15:\n\nDear Sir\n\nThat was all."

    assert split(text).folded == ()


def test_unattributed_quote_is_folded_in_a_reply_alone() -> None:
    """A quote at the end is history if the mail is an answer, else what its sender cites."""
    text = "So it is.\n\n> Über allen Gipfeln\n> ist Ruh"

    assert shown(text) == "So it is."
    assert split(text, Relation.UNKNOWN).folded == ()


def test_several_texts_are_folded_from_the_last() -> None:
    """A list's footer that came as a text of its own is folded, and the quote above it; own words in between stay."""
    own, quote = plain_text.parsed("Yes.\n\n> No?"), plain_text.parsed("> Old")
    footer = plain_text.parsed("_______________\nlist mailing list\nhttps://lists.example/")

    fold = quotes.folded([own, quote, footer], Relation.REPLY)

    assert [each.full for each in fold.shown] == ["Yes."]
    assert (fold.has_history, fold.has_signature) == (True, True)
    assert quotes.folded([quote, own, plain_text.parsed("Also")], Relation.REPLY).folded == ()


def test_first_words_are_own() -> None:
    """What is quoted, and who, is left out of the words that a notification shows."""
    lines = plain_text.parsed(
        "On 1 May 2021 at 10:00 Bob\n<b@x.example> wrote:\n> Tuesday?\n\nYes, gladly."
    ).lines

    assert list(quotes.own_words(lines)) == ["Yes, gladly."]


PIECES = st.sampled_from(
    [
        "Hello", "Yes, gladly.", "", "> quoted", ">> older", "> ", "-- ", "--", "Ada", "Sent from my iPhone",
        "On Wed, Oct 27, 2021 at 9:31 AM John Doe <john@acme.example> wrote:", "wrote:", "On Wed, Oct 27, 2021",
        "-----Original Message-----", "---------- Forwarded message ---------", "________________", "From: Bob", "Sent: today",
        "To: Ada", "Subject: x", "This e-mail is confidential and for the intended recipient only; if it came to you, forget it.",
        "mailing list", "Von: x", "Am 1.5.2021 um 10:00 schrieb Bob:", ":", "---",
    ]
)  # fmt: skip


@settings(max_examples=100)
@given(st.lists(st.lists(PIECES, max_size=14), max_size=3), st.sampled_from(Relation))
def test_nothing_is_lost(pieces: list[list[str]], known: Relation) -> None:
    """What is shown and what is folded are all lines in their order, and something own is shown if there is any."""
    texts = [plain_text.parsed("\n".join(each)) for each in pieces]

    fold = quotes.folded(texts, known)

    parted = [line for each in (*fold.shown, *fold.folded) for line in each.lines]
    assert parted == [line for each in texts for line in each.lines]
    assert bool(fold.folded) == (fold.has_history or fold.has_signature)
    if fold.folded:
        assert any(True for each in fold.shown for _ in quotes.own_words(each.lines))


@settings(max_examples=100)
@given(
    st.lists(st.text("abcdefgh ,.!?äß", min_size=1, max_size=60).filter(str.strip), min_size=1, max_size=8),
    st.sampled_from(ATTRIBUTIONS),
    st.sampled_from(Relation),
)
def test_own_words_above_a_quote_are_all_shown(own: list[str], line: str, known: Relation) -> None:
    """No line that a person wrote above a quote is folded with it."""
    fold = split("\n".join([*own, "", line, "> old", "> words"]), known)

    seen = [each.text.strip() for text in fold.shown for each in text.lines if each.text.strip()]

    assert seen[: len(own)] == [each.strip() for each in own]
