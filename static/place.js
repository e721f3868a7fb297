// Where you are in the list: a search is one step of the history, and coming back leads to the same place, with the
// list as long as it was.

const STORE = "coffer.place ";
const RESTS_AFTER_MS = 2000;

let here = location.pathname + location.search;
let pages = 0;

const entries = () => [...document.querySelectorAll(".entry")];
const idOf = (entry) => entry.id.replace("entry-", "");

function remember() {
  if (!document.getElementById("results")) return;
  const focused = document.activeElement?.closest(".entry");
  const place = { pages, top: scrollY, ids: entries().map(idOf), focus: focused ? idOf(focused) : null };
  sessionStorage.setItem(STORE + here, JSON.stringify(place));
}

// "More" keeps what was there, a search begins anew.
document.addEventListener("htmx:afterSwap", ({ detail: { target } }) => {
  if (target.matches(".more")) pages += 1;
  if (target.id === "results") pages = 0;
});
window.addEventListener("pagehide", remember);

// The first letter makes a step, what follows changes it, until the search rests or is sent.
let typing = false;
let rest;

document.addEventListener("htmx:beforeHistoryUpdate", ({ detail: { history: step, requestConfig } }) => {
  if (!requestConfig?.elt?.matches(".search")) return;
  if (typing || step.path === here) step.type = "replace";
  else remember();
  clearTimeout(rest);
  typing = requestConfig.triggeringEvent?.type !== "submit";
  rest = setTimeout(() => (typing = false), RESTS_AFTER_MS);
});
for (const moved of ["htmx:pushedIntoHistory", "htmx:replacedInHistory"]) {
  document.addEventListener(moved, ({ detail: { path } }) => (here = path));
}

// The entry's page leads back to the list that it was opened from.
const LIST = "coffer.list";
const ROOT = new URL("..", import.meta.url).pathname;
if (document.getElementById("results")) {
  window.addEventListener("pagehide", () => sessionStorage.setItem(LIST, here.slice(ROOT.length - 1)));
}
for (const field of document.querySelectorAll("input[data-list]")) {
  field.value = sessionStorage.getItem(LIST) ?? "";
}

async function lengthen(to) {
  while (pages < to) {
    const more = document.querySelector(".more [rel=next]");
    if (!more) return;
    const target = more.closest(".more");
    await htmx.ajax("GET", more.href, { source: more, target, select: ".entry, .more", swap: "outerHTML" });
  }
}

// The entry, or the next one if it is gone.
function entryOrNext(id, ids) {
  const from = Math.max(ids.indexOf(id), 0);
  const still = [id, ...ids.slice(from + 1), ...ids.slice(0, from).reverse()];
  return still.map((one) => document.getElementById(`entry-${one}`)).find(Boolean);
}

async function comeBack() {
  const [navigation] = performance.getEntriesByType("navigation");
  const target = location.hash.match(/^#entry-(.+)$/)?.[1];
  const place = JSON.parse(sessionStorage.getItem(STORE + here) ?? "null");
  if (!document.getElementById("results") || !(target || (place && navigation?.type !== "navigate"))) return;
  const { pages: wanted, top, ids, focus } = place ?? { pages: 0, top: 0, ids: [], focus: null };
  if (wanted > 0) history.scrollRestoration = "manual";
  document.documentElement.dataset.comingBack = "";
  await lengthen(wanted);
  delete document.documentElement.dataset.comingBack;
  if (place) scrollTo(0, top);
  const entry = target ? entryOrNext(target, ids) : focus && entryOrNext(focus, ids);
  entry?.querySelector("a")?.focus({ preventScroll: true });
  if (target) {
    entry?.scrollIntoView({ block: "nearest" });
    history.replaceState(history.state, "", here);
  }
}
comeBack();
