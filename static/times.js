// Times in the reader's own zone. The server writes them in UTC, as "3 May 2026" or "3 May 2026, 14:05 UTC".

const DAY = /^\d{1,2} [A-Z][a-z]{2} \d{4}$/;
const MOMENT = /^\d{1,2} [A-Z][a-z]{2} \d{4}, \d\d:\d\d UTC$/;
const parts = new Intl.DateTimeFormat("en-US", {
  day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZoneName: "short",
});

function localise(root) {
  for (const time of root.querySelectorAll("time[datetime*=T]")) {
    const text = time.textContent.trim();
    const isDay = DAY.test(text);
    if (!isDay && !MOMENT.test(text)) continue;
    const { day, month, year, hour, minute, timeZoneName } = Object.fromEntries(
      parts.formatToParts(new Date(time.dateTime)).map(({ type, value }) => [type, value]),
    );
    const local = `${day} ${month} ${year}`;
    const moment = `${local}, ${hour}:${minute}`;
    time.title = `${moment} ${timeZoneName}`;
    const shown = isDay ? local : timeZoneName === "UTC" ? `${moment} UTC` : moment;
    if (shown !== text) time.textContent = shown;
  }
}

localise(document);
document.addEventListener("htmx:load", ({ detail: { elt } }) => localise(elt.parentElement ?? elt));
