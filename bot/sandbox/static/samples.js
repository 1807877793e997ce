/** Mails to send with one click: one of each kind that reads differently in Slack. */

let sent = 0;

const numbered = (subject) => (sent++ ? `${subject} (${sent})` : subject);

function plainNote() {
  return {
    from_name: "Grace Hopper", from_address: "grace@harbour.example", subject: numbered("Lunch on Thursday?"),
    text: "Hello,\n\nthe new place at the harbour has a table for us on Thursday at 12:30.\nShall I take it?\n\n> Last time you said the soup was better elsewhere.\n\nGrace\n\n-- \nGrace Hopper\nHarbour Office, Pier 4\n",
  };
}

function newsletter() {
  const html = `<!doctype html><html><body style="font-family:Georgia,serif">
<table width="600" cellpadding="0" cellspacing="0"><tr><td>
<h1>The Lighthouse Letter</h1>
<p>Three things from the coast this week, and <b>one table</b> of tides.</p>
<h2>1. The lamp is on again</h2>
<p>After a winter of repairs the lamp of <i>North Head</i> turns again. <a href="https://lighthouse.example/north-head">Read how it was done</a>.</p>
<h2>2. What the keepers ask</h2>
<ul><li>Bring back the boat hooks</li><li>Close the gate<ul><li>also at night</li></ul></li></ul>
<h2>3. Tides</h2>
<table border="1"><tr><th>Day</th><th>High</th><th>Low</th></tr><tr><td>Monday</td><td>06:12</td><td>12:31</td></tr><tr><td>Tuesday</td><td>07:02</td><td>13:19</td></tr></table>
<blockquote>“The sea is patient; the mail is not.”</blockquote>
<p><a href="https://click.tracker.example/?u=https%3A%2F%2Fshop.example">https://shop.lighthouse.example</a></p>
<img src="https://pixel.tracker.example/open.gif?id=42" width="1" height="1" alt="">
</td></tr></table></body></html>`;
  return {
    from_name: "The Lighthouse Letter", from_address: "letter@lighthouse.example", subject: numbered("The Lighthouse Letter: the lamp is on again"),
    text: "The Lighthouse Letter\n\nThe lamp of North Head turns again: https://lighthouse.example/north-head\n", html,
  };
}

async function withAttachments() {
  const table = "Day,Crates,Weight\nMonday,12,480\nTuesday,9,361\nWednesday,15,602\n";
  return {
    from_name: "Katherine Johnson", from_address: "katherine@freight.example", subject: numbered("Figures for the week, with a chart"),
    text: "Hi,\n\nattached are the figures of this week as a table, and the chart I drew from them.\n\nKatherine\n",
    attachments: [
      { name: "crates.csv", type: "text/csv", content_base64: btoa(table) },
      { name: "crates.png", type: "image/png", content_base64: await chart([12, 9, 15, 7, 11]) },
    ],
  };
}

/** A small bar chart as PNG, in base64. */
async function chart(values) {
  const canvas = Object.assign(document.createElement("canvas"), { width: 480, height: 240 });
  const pen = canvas.getContext("2d");
  pen.fillStyle = "#f6f1e7";
  pen.fillRect(0, 0, 480, 240);
  pen.fillStyle = "#2f6f7e";
  values.forEach((value, index) => pen.fillRect(40 + index * 85, 210 - value * 12, 56, value * 12));
  pen.fillStyle = "#3b3247";
  pen.fillRect(30, 210, 430, 2);
  return canvas.toDataURL("image/png").split(",")[1];
}

function longMail() {
  const paragraph = (index) => `${index}. The keeper wrote down the wind at every hour of watch ${index}: it came from the north-west, turned west before noon and fell asleep at dusk. Nothing passed but two colliers and a boat without a name.`;
  const body = Array.from({ length: 220 }, (_, index) => paragraph(index + 1)).join("\n\n");
  return {
    from_name: "Station Log", from_address: "log@station.example", subject: numbered("Log of the winter, in full"),
    text: `The whole log follows.\n\n${body}\n\nEnd of the log.\n`,
  };
}

/** Text in base64, whatever letters it holds. */
const packed = (text) => btoa(String.fromCharCode(...new TextEncoder().encode(text)));

/** An invitation for the day after tomorrow, as a calendar program sends it. */
function invitation(to) {
  const day = new Date(Date.now() + 2 * 86400000).toISOString().slice(0, 10).replaceAll("-", "");
  const calendar = `BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Sandbox//Calendar//EN\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nUID:pier-${Date.now()}@harbour.example\r
DTSTART;TZID=Europe/Stockholm:${day}T130000\r\nDTEND;TZID=Europe/Stockholm:${day}T134500\r\nRRULE:FREQ=WEEKLY;COUNT=4\r\nSUMMARY:Walk along the pier\r
LOCATION:Pier 4\\, by the old crane\r\nORGANIZER;CN=Grace Hopper:mailto:grace@harbour.example\r
ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:${to}\r\nSEQUENCE:0\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n`;
  return {
    from_name: "Grace Hopper", from_address: "grace@harbour.example", subject: numbered("Invitation: Walk along the pier"),
    text: "Bring a scarf, it blows out there.\n\nGrace\n",
    attachments: [{ name: "invite.ics", type: "text/calendar", content_base64: packed(calendar) }],
  };
}

/** A report of a mail server about a mail that could not be delivered. */
function notDelivered() {
  const status = "Reporting-MTA: dns; mx.freight.example\n\nFinal-Recipient: rfc822; katherine@freight.example\nAction: failed\nStatus: 5.2.2\nDiagnostic-Code: smtp; 552 5.2.2 Mailbox full\n";
  const original = "From: you@local.test\nTo: katherine@freight.example\nSubject: Crates for Friday\nMessage-ID: <crates-1@local.test>\n\nTwelve crates, please.\n";
  return {
    from_name: "Mail Delivery System", from_address: "mailer-daemon@mx.freight.example", subject: numbered("Undelivered Mail Returned to Sender"),
    text: "This is the mail system at host mx.freight.example.\n\nYour message could not be delivered.\n\n<katherine@freight.example>: 552 5.2.2 Mailbox full\n",
    attachments: [
      { name: "status.txt", type: "message/delivery-status", content_base64: packed(status) },
      { name: "original.eml", type: "text/rfc822-headers", content_base64: packed(original) },
    ],
  };
}

/** A mail that holds another one as a file. */
function forwarded() {
  const inner = "From: Station Log <log@station.example>\nTo: grace@harbour.example\nSubject: Storm on the way\nDate: Thu, 19 Nov 2026 08:30:00 +0000\n\nTie up everything that floats.\nThe wind turns north before noon.\n";
  return {
    from_name: "Grace Hopper", from_address: "grace@harbour.example", subject: numbered("Fwd: Storm on the way"),
    text: "Have you seen this?\n\nGrace\n",
    attachments: [{ name: "Storm on the way.eml", type: "message/rfc822", content_base64: packed(inner) }],
  };
}

/** A mail of a list that says in its header how to leave it. */
function mailingList() {
  return {
    from_name: "Noor Haddad", from_address: "noor@studio-kestrel.example", subject: numbered("[folders] Paper for the winter issue"),
    text: "Hello all,\n\nthe thin paper is out of stock. Shall we take the grey one?\n\nNoor\n",
    headers: {
      "List-Id": "Makers of folders <folders.lists.example>", "List-Post": "<mailto:folders@lists.example>",
      "List-Unsubscribe": "<https://lists.example/folders/leave>, <mailto:folders-leave@lists.example>",
    },
  };
}

/** A mail to several people, to be answered to all of them. */
function several() {
  return {
    from_name: "Ana Caldeira", from_address: "ana.caldeira@postbox.example", subject: numbered("Who brings the lamp?"),
    text: "Dear all,\n\nthe yard is dark by five. Who has a lamp?\n\nAna\n",
    headers: { Cc: "Kenji Morita <kenji@local.test>, Noor Haddad <noor@studio-kestrel.example>, Emil Sand <emil@studio-kestrel.example>" },
  };
}

/** A mail whose answers go elsewhere. */
function replyTo() {
  return {
    from_name: "Kestrel Print Works", from_address: "no-reply@kestrel-print.example", subject: numbered("Your order has left the press"),
    text: "Hello,\n\nyour folders are on their way. Answers to this mail reach our front desk.\n",
    headers: { "Reply-To": "Front desk <desk@kestrel-print.example>" },
  };
}

/** Label and maker of each sample; the maker is told whom the mail is for. */
export const SAMPLES = [
  ["Plain note", plainNote],
  ["HTML newsletter", newsletter],
  ["Attachments", withAttachments],
  ["Long mail", longMail],
  ["Invitation", invitation],
  ["Not delivered", notDelivered],
  ["Forwarded mail", forwarded],
  ["Mailing list", mailingList],
  ["Several people", several],
  ["Other Reply-To", replyTo],
];
