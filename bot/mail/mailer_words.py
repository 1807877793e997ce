"""What mail programs write around a quoted mail and below a text, in the languages they speak. Pure; tables alone.

All words are as `str.casefold` makes them. A word that means one thing in one language and another in the next
stands with the meaning that folds less.
"""

from __future__ import annotations

from typing import Final

FROM: Final = frozenset(
    {
        "from", "von", "de", "da", "van", "fra", "från", "lähettäjä", "od", "od koho", "nadawca", "feladó", "expeditor",
        "expeditorul", "de la", "от", "от кого", "отправитель", "від", "від кого", "відправник", "изпратено от", "подател",
        "kimden", "gönderen", "από", "saatja", "no", "sūtītājs", "nuo", "siuntėjas", "šalje", "šalje se od", "pošiljatelj",
        "пошиљалац", "шаље", "remitente", "mittente", "expéditeur", "exp", "remetente", "absender", "afzender",
        "avsändare", "afsender", "avsender", "odesílatel", "odosielateľ", "pošiljalac", "מאת", "من", "المرسل", "از", "फ़्रॉम", "प्रेषक",
        "发件人", "寄件者", "寄件人", "送信元", "差出人", "送信者", "보낸 사람", "보낸사람", "발신", "từ", "người gửi", "dari",
        "pengirim", "จาก", "nork", "remitent", "frá", "sendandi", "oddal", "from address",
    }
)  # fmt: skip

DATE: Final = frozenset(
    {
        "date", "sent", "datum", "gesendet", "gesendet am", "fecha", "enviado", "enviado el", "enviado em", "enviada em",
        "enviada", "data", "inviato", "envoyé", "envoyé le", "date d'envoi", "verzonden", "verstuurd", "dato", "sendt",
        "skickat", "päivämäärä", "päiväys", "lähetetty", "odesláno", "odoslané", "dátum", "wysłano", "wysłane", "elküldve",
        "küldve", "dată", "trimis", "дата", "отправлено", "відправлено", "надіслано", "изпратено", "tarih", "gönderilen",
        "gönderme tarihi", "gönderildi", "ημερομηνία", "στάλθηκε", "kuupäev", "saadetud", "datums", "nosūtīts", "išsiųsta",
        "poslano", "послато", "датум", "poslato", "תאריך", "נשלח", "التاريخ", "تاريخ الإرسال", "تم الإرسال", "تاریخ", "日期",
        "发送时间", "发送日期", "寄件日期", "傳送時間", "时间", "日付", "日時", "送信日時", "날짜", "보낸 날짜", "보낸날짜", "발송일",
        "ngày", "đã gửi", "tanggal", "dikirim", "วันที่", "ส่งเมื่อ", "दिनांक", "bidalia", "enviat", "sent date", "sent on",
        "dagsetning", "data da mensagem", "sendt den",
    }
)  # fmt: skip

TO: Final = frozenset(
    {
        "to", "an", "para", "a", "à", "pour", "destinataire", "aan", "til", "till", "vastaanottaja", "komu", "pre", "do",
        "adresat", "címzett", "către", "destinatarul", "destinatario", "destinatari", "кому", "получатель", "до", "kime",
        "alıcı", "προς", "saaja", "kellele", "kam", "adresāts", "kas", "prima", "za", "прима", "за", "prejemnik",
        "אל", "إلى", "المستلم", "به", "收件人", "收件者", "送信先", "宛先", "받는 사람", "받는사람", "수신", "đến", "tới", "kepada",
        "ถึง", "प्रति", "nori", "per a", "per", "viðtakandi", "mottagare", "mottaker", "modtager", "empfänger", "ontvanger",
        "cc", "copia", "kopie", "kopie (cc)", "kopia", "kopi", "kopio", "dw", "másolat", "másolatot kap", "копия", "копія",
        "kópia", "bilgi", "copie à", "copie", "cópia", "抄送", "副本", "reply-to", "antwort an", "responder a",
    }
)  # fmt: skip

SUBJECT: Final = frozenset(
    {
        "subject", "betreff", "asunto", "assunto", "objet", "sujet", "oggetto", "onderwerp", "emne", "ämne", "aihe",
        "předmět", "predmet", "temat", "tárgy", "subiect", "subiectul", "тема", "konu", "θέμα", "teema", "tēma", "temats",
        "tema", "naslov", "zadeva", "предмет", "наслов", "נושא", "الموضوع", "موضوع", "主题", "主旨", "件名", "題名", "제목",
        "chủ đề", "tiêu đề", "perihal", "subjek", "เรื่อง", "หัวเรื่อง", "विषय", "gaia", "assumpte", "efni", "относно",
    }
)  # fmt: skip

WROTE: Final = (
    "wrote", "writes", "schrieb", "schreibt", "geschrieben", "a écrit", "ecrit", "écrit", "écrivait", "escribió",
    "escribio", "escribe", "ha escrito", "escreveu", "escreve", "ha scritto", "scrive", "scritto", "schreef", "schrijft",
    "geschreven", "skrev", "skreiv", "skriver", "kirjoitti", "napisał", "napisała", "napisał(a)", "pisze", "napsal",
    "napsala", "napsal(a)", "píše", "napísal", "napísala", "napísal(a)", "írta", "írt", "a scris", "написал", "написала",
    "написал(а)", "пишет", "писал", "писал(а)", "написав", "написала", "написав(ла)", "пише", "написа", "написао",
    "написала", "napisao", "napisala", "napisao/la", "je pisao", "je napisal", "je napisal/a", "yazdı", "yazmış", "έγραψε",
    "kirjutas", "rakstīja", "rašė", "parašė", "va escriure", "ha escrit", "idatzi du", "escribiu", "skrifaði", "đã viết",
    "menulis", "citando", "quoting", "zitat von", "כתב", "כתבה", "כתב/ה", "كتب", "كتبت", "نوشت", "ने लिखा", "เขียนว่า", "เขียน",
    "sagte", "dixit",
)  # fmt: skip

WROTE_UNSPACED: Final = (
    "写道",
    "寫道",
    "写到",
    "のメッセージ",
    "書きました",
    "님이 작성",
    "작성",
    "썼습니다",
    "님의 말",
)
"""Of scripts that do not part words."""

OPENERS: Final = (
    "on", "am", "le", "el", "op", "il", "in data", "em", "no dia", "den", "d", "dne", "dňa", "dnia", "w dniu", "на", "в", "у",
    "în", "la", "pe", "στις", "dana", "u", "v", "kuupäev", "el dia", "בתאריך", "في", "در", "在", "vào", "pada", "เมื่อ", "quoting",
    "citando", "zitat von",
)  # fmt: skip
"""What an attribution begins with when it goes over several lines, unless with a date, a weekday or an address."""

ORIGINAL: Final = frozenset(
    {
        "original message", "original mail", "original email", "ursprüngliche nachricht", "originalnachricht",
        "original-nachricht", "original nachricht", "message d'origine", "message d’origine", "message original",
        "message initial", "mensaje original", "mensagem original", "messaggio originale", "messaggio originario",
        "oorspronkelijk bericht", "origineel bericht", "oprindelig meddelelse", "oprindelig besked", "original meddelelse",
        "opprinnelig melding", "original melding", "ursprungligt meddelande", "originalmeddelande", "alkuperäinen viesti",
        "oryginalna wiadomość", "wiadomość oryginalna", "původní zpráva", "původní e-mail", "pôvodná správa", "eredeti üzenet",
        "mesaj original", "mesajul original", "mesaj inițial", "исходное сообщение", "оригинальное сообщение",
        "первоначальное сообщение", "вихідне повідомлення", "оригінальне повідомлення", "оригинално съобщение",
        "izvorna poruka", "originalna poruka", "izvorno sporočilo", "изворна порука", "оригинална порука", "orijinal mesaj",
        "özgün ileti", "asıl mesaj", "αρχικό μήνυμα", "algne kiri", "algsõnum", "oriģinālā ziņa", "sākotnējais ziņojums",
        "pradinis laiškas", "originalus laiškas", "missatge original", "jatorrizko mezua", "mensaxe orixinal",
        "upprunaleg skilaboð", "tin nhắn gốc", "thư gốc", "pesan asli", "ข้อความต้นฉบับ", "הודעה מקורית", "الرسالة الأصلية",
        "رسالة أصلية", "پیام اصلی", "原始邮件", "原始郵件", "邮件原件", "元のメッセージ", "オリジナルメッセージ", "원본 메시지",
        "원본 메일", "reply message", "replied message", "回复的原邮件",
    }
)  # fmt: skip

FORWARDED: Final = (
    "forwarded message", "forwarded mail", "forwarded email", "begin forwarded message", "forwarded by",
    "weitergeleitete nachricht", "anfang der weitergeleiteten nachricht", "message transféré", "message transmis",
    "message réexpédié", "début du message réexpédié", "début du message transféré", "mensaje reenviado",
    "inicio del mensaje reenviado", "mensagem encaminhada", "mensagem reencaminhada", "início da mensagem encaminhada",
    "início da mensagem reencaminhada", "messaggio inoltrato", "inizio messaggio inoltrato", "inizio del messaggio inoltrato",
    "doorgestuurd bericht", "begin doorgestuurd bericht", "start på videresendt besked", "videresendt besked",
    "videresendt meddelelse", "videresendt melding", "videresend melding", "vidarebefordrat mejl",
    "vidarebefordrat meddelande", "vidarebefordrat brev", "edelleenlähetetty viesti", "välitetty viesti",
    "välitetty viesti alkaa", "přeposlaná zpráva", "začátek přeposílané zprávy", "preposlaná správa",
    "začiatok preposlanej správy", "przekazana wiadomość", "wiadomość przesłana dalej", "treść przekazanej wiadomości",
    "początek przekazywanej wiadomości", "továbbított üzenet", "továbbított levél", "továbbított levél kezdete",
    "mesaj redirecționat", "începe mesajul redirecționat", "începe mesajul redirecţionat", "перенаправленное сообщение",
    "пересылаемое сообщение", "пересланное сообщение", "начало переадресованного сообщения", "переслане повідомлення",
    "перенаправлене повідомлення", "початок листа, що пересилається", "препратено съобщение", "proslijeđena poruka",
    "započni proslijeđenu poruku", "prosleđena poruka", "прослеђена порука", "posredovano sporočilo", "iletilen ileti",
    "iletilmiş mesaj", "i̇letilen i̇leti", "i̇letilmiş mesaj", "i̇leti başlangıcı", "yönlendirilmiş ileti", "προωθημένο μήνυμα",
    "edastatud kiri", "edasi saadetud kiri", "pārsūtītā ziņa", "pārsūtīts ziņojums", "persiųstas laiškas",
    "missatge reenviat", "birbidalitako mezua", "mensaxe reenviada", "áframsent skeyti", "thư được chuyển tiếp",
    "tin nhắn được chuyển tiếp", "pesan terusan", "ข้อความที่ส่งต่อ", "הודעה שהועברה", "رسالة مُعاد توجيهها", "رسالة معاد توجيهها",
    "الرسالة المعاد توجيهها", "پیام بازارسال شده", "转发的邮件", "转发邮件", "轉寄郵件", "轉寄的郵件", "メッセージを転送",
    "転送されたメッセージ", "転送メッセージ", "전달된 메시지", "전달된 메일",
)  # fmt: skip

REPLY_PREFIXES: Final = frozenset(
    {
        "re", "aw", "antw", "antwort", "sv", "res", "resp", "rif", "r", "rép", "rep", "réf", "odp", "ynt", "yan", "vá",
        "atb", "ats", "odg", "bls", "balas", "tl", "trả lời", "răsp", "rasp", "отв", "ответ", "на", "απ", "σχετ", "αντ",
        "השב", "תגובה", "رد", "پاسخ", "回复", "回覆", "答复", "答覆", "返信", "회신", "답장", "svar",
    }
)  # fmt: skip

FORWARD_PREFIXES: Final = frozenset(
    {
        "fw", "fwd", "forward", "wg", "wtr", "rv", "reenv", "tr", "trans", "i", "inoltra", "inoltro", "enc", "vb", "vl", "pd",
        "i̇lt", "ilt", "videresend", "doorst", "dv", "redir", "redir.", "fs", "trs", "terusan", "přep", "prep", "prosl", "továbbítás",
        "tovább", "továbbítva", "továbbküldött", "пер", "пересл", "переслано", "fwd.", "πρθ", "προωθ", "edasi", "pārs", "pers",
        "ct", "chuyển tiếp", "הועבר", "إعادة توجيه", "ارسال", "转发", "轉寄", "轉發", "転送", "전달",
    }
)  # fmt: skip

SENT_FROM: Final = (
    "sent from", "sent via", "sent with", "sent using", "sent by", "get outlook for", "gesendet von", "gesendet mit",
    "diese nachricht wurde von meinem", "holen sie sich outlook", "outlook für", "envoyé de", "envoyé depuis", "envoyé par",
    "envoyé à partir d", "télécharger outlook", "téléchargez outlook", "obtenez outlook", "enviado desde", "enviado con",
    "obtener outlook", "descargar outlook", "enviado do", "enviado de", "enviado pelo", "enviado via", "enviado a partir d",
    "obter o outlook", "obtenha o outlook", "inviato da", "ottieni outlook", "scarica outlook", "verzonden vanaf",
    "verzonden met", "verzonden via", "verstuurd vanaf", "verstuurd met", "outlook voor", "download outlook", "sendt fra",
    "sendt med", "hent outlook", "få outlook", "skickat från", "skaffa outlook", "hämta outlook", "lähetetty", "hanki outlook",
    "wysłane z", "wysłano z", "pobierz outlook", "odesláno z", "odosláno z", "odoslané z", "získejte outlook", "získať outlook",
    "küldve az", "elküldve", "trimis de pe", "trimis din", "отправлено с", "отправлено из", "надіслано з", "відправлено з",
    "изпратено от", "poslano s", "poslano z", "poslato sa", "послато са", "στάλθηκε από", "saadetud minu", "nosūtīts no",
    "išsiųsta iš", "enviat des d", "נשלח מה", "أُرسلت من", "أرسل من", "مرسل من", "发自我的", "發自我的", "从我的", "從我的",
    "나의 iphone", "나의 ipad", "đã gửi từ", "được gửi từ", "gửi từ", "dikirim dari", "ส่งจาก",
)  # fmt: skip
"""How the line begins that a telephone or a web mailer puts below a text."""

SENT_FROM_AT_END: Final = ("から送信", "에서 보냄", "gönderildi", "gesendet", "lähetetty")
"""How it ends, where the device comes first."""

DEVICES: Final = (
    "iphon", "ipad", "ios", "android", "samsung", "galaxy", "blackberry", "huawei", "honor", "xiaomi", "redmi", "nokia",
    "htc", "oneplus", "pixel", "xperia", "phone", "mobil", "móvil", "celular", "cellulare", "handy", "tablet", "telefon",
    "téléphone", "puhelime", "telefoon", "телефон", "手机", "手機", "outlook", "mail", "yahoo", "gmx", "web.de", "proton",
    "windows", "superhuman", "spark", "laptop", "apparaat",
)  # fmt: skip

ENVIRONMENT: Final = (
    "please consider the environment", "consider the environment before", "think before you print",
    "bitte denken sie an die umwelt", "pensez à l'environnement", "pensez à l’environnement",
    "antes de imprimir", "denk aan het milieu", "tænk på miljøet", "tänk på miljön",
)  # fmt: skip

CONFIDENTIAL: Final = (
    "confidential", "privileged", "disclaimer", "vertraulich", "confidentiel", "confidencial", "riservat", "confidenzial",
    "vertrouwelijk", "fortrolig", "konfidentiell", "konfidensiel", "luottamuksel", "poufn", "důvěrn", "dôvern", "bizalmas",
    "confidențial", "конфиденциальн", "конфіденційн", "поверителн", "povjerljiv", "poverljiv", "zaupn", "gizli", "εμπιστευτικ",
    "konfidentsiaal", "konfidenciāl", "konfidencial", "סודי", "سري", "机密", "保密", "機密", "기밀",
)  # fmt: skip
"""One word of each pair that makes a paragraph a disclaimer."""

ADDRESSEE: Final = (
    "intended recipient", "intended only for", "intended solely", "solely for the use", "received this message in error",
    "received this e-mail in error", "received this email in error", "received it in error", "received this communication in",
    "notify the sender", "unauthorized", "unauthorised", "named addressee", "nicht der richtige adressat", "irrtümlich erhalten",
    "versehentlich erhalten", "nicht der beabsichtigte", "ausschließlich für den", "destinataire", "par erreur", "destinatario",
    "por error", "destinatário", "por engano", "por erro", "per errore", "geadresseerde", "abusievelijk", "ten onrechte",
    "ved en fejl", "tilsigtede modtager", "av misstag", "avsedd för", "ved en feil", "vastaanottajalle", "omyłkowo", "adresat",
    "omylem", "tévedésből", "címzett", "din greșeală", "destinatarul", "по ошибке", "адресат", "помилково", "погрешка",
    "greškom", "pomotoma", "yanlışlıkla", "εκ παραδρομής", "παραλήπτη", "eksikombel", "kļūdas", "per klaidą", "בטעות",
    "عن طريق الخطأ", "误收", "收件人", "誤って", "잘못",
)  # fmt: skip
"""The other word."""

LIST_FOOTER: Final = (
    "mailing list", "unsubscribe", "listinfo", "mailman", "lists.", "google groups", "googlegroups", "abbestellen",
    "mailingliste", "liste de diffusion", "désabonner", "lista de correo", "lista di distribuzione", "mailinglijst",
    "view it on github", "you are receiving this because", "you received this message because",
)  # fmt: skip

BELOW: Final = (
    "below", "inline", "in-line", "in line", "in red", "in blue", "in green", "in bold", "in capitals", "unten", "weiter unten",
    "inline-antworten", "in rot", "in blau", "in grün", "ci-dessous", "plus bas", "en rouge", "en bleu", "en vert", "abajo",
    "más abajo", "en rojo", "en azul", "en verde", "abaixo", "em vermelho", "em azul", "sotto", "qui sotto", "in rosso", "in blu",
    "hieronder", "onderaan", "in het rood", "in het blauw", "nedenfor", "herunder", "med rødt", "nedan", "i rött", "ks. alla",
    "katso alla", "punaisella", "poniżej", "na czerwono", "níže", "nižšie", "alább", "pirossal", "mai jos", "ниже",
    "красным", "нижче", "по-долу", "u nastavku", "dolje", "ispod", "spodaj", "aşağıda", "παρακάτω", "allpool", "zemāk", "žemiau",
    "més avall", "bên dưới", "dưới đây", "di bawah", "להלן", "למטה", "أدناه",
)  # fmt: skip
"""Where somebody says who answers within the quoted text without a mark of its own."""

BELOW_UNSPACED: Final = ("见下", "如下", "見下", "下面", "以下", "下記", "赤字", "아래", "ด้านล่าง")
