// Conveniences over pages that work without them: toasts that leave,
// focus and announcements after htmx has changed a part of the page.

const root = document.documentElement;
const toasts = document.getElementById("toasts");
root.classList.add("js");

// The box for an address grows with what is pasted; Enter sends it, as in a field of one line.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing || !event.target.matches?.("textarea.one-line")) return;
  event.preventDefault();
  event.target.form.requestSubmit();
});

// Good news leaves after a while, never under the pointer or the focus. Errors stay until dismissed.
const LEAVES_AFTER_MS = 8000;
const LEAVES_WITH_OFFER_AFTER_MS = 20000;

function settle(toast) {
  if (toast.dataset.settled) return;
  toast.dataset.settled = "yes";
  const dismiss = document.createElement("button");
  dismiss.type = "button";
  dismiss.className = "plain";
  dismiss.textContent = "Dismiss";
  dismiss.addEventListener("click", () => toast.remove());
  toast.append(dismiss);
  if (toast.classList.contains("error")) return;

  const wait = toast.querySelector("form") ? LEAVES_WITH_OFFER_AFTER_MS : LEAVES_AFTER_MS;
  const leave = () => {
    if (toast.matches(":hover, :focus-within")) {
      setTimeout(leave, 2000);
      return;
    }
    // Its place stays, so that nothing moves under the pointer.
    toast.classList.add("gone");
  };
  setTimeout(leave, wait);
}

// A new toast at the top of the page doesn't push away what you look at.
let place = toasts?.offsetHeight ?? 0;

function makeRoom() {
  const grown = toasts.offsetHeight - place;
  place = toasts.offsetHeight;
  if (grown > 0 && scrollY < grown) scrollBy({ top: grown, behavior: "instant" });
}

function complain(text, link) {
  const toast = document.createElement("div");
  toast.className = "toast error";
  toast.setAttribute("role", "alert");
  const sentence = document.createElement("p");
  sentence.textContent = text;
  toast.append(sentence, ...(link ? [link] : []));
  toasts.replaceChildren(toast);
}

function inWords(seconds) {
  if (seconds >= 120) return `${Math.ceil(seconds / 60)} minutes`;
  return seconds === 1 ? "a second" : `${seconds} seconds`;
}

// A client that was too fast sees the time run down; the way on is offered when it is over.
for (const wait of document.querySelectorAll("[data-countdown]")) {
  const next = document.querySelector("[data-after-countdown]");
  if (next) next.hidden = true;
  const end = performance.now() + Number(wait.dataset.countdown) * 1000;
  const timer = setInterval(() => {
    const left = Math.ceil((end - performance.now()) / 1000);
    wait.textContent = left > 0 ? `You can try again in ${inWords(left)}.` : "You can try again now.";
    if (left > 0) return;
    clearInterval(timer);
    if (!next) return;
    next.hidden = false;
    next.textContent = next.dataset.afterCountdown;
  }, 1000);
}

function wayIn() {
  const link = document.createElement("a");
  link.href = new URL("../login", import.meta.url);
  link.target = "_blank";
  link.textContent = "Log in";
  return link;
}

// A page that outlives its session holds that session's form token. Once you have logged in again elsewhere,
// the new session's token takes its place before the next request, so that what was typed here can still be sent.
let tokenIsStale = false;

async function renewToken() {
  const answer = await fetch(new URL("../api/v1/me", import.meta.url));
  if (!answer.ok) return;
  const { csrf } = await answer.json();
  document.body.setAttribute("hx-headers", JSON.stringify({ "X-CSRF-Token": csrf }));
  for (const field of document.querySelectorAll("input[name=csrf]")) field.value = csrf;
  tokenIsStale = false;
}

document.addEventListener("htmx:confirm", (event) => {
  if (!tokenIsStale) return;
  event.preventDefault();
  renewToken().finally(() => event.detail.issueRequest(true));
});

if (toasts) {
  const settleAll = () => toasts.querySelectorAll(".toast").forEach(settle);
  new MutationObserver(() => {
    settleAll();
    makeRoom();
  }).observe(toasts, { childList: true });
  settleAll();
}

document.addEventListener("htmx:sendError", (event) => {
  // Figures that renew themselves come with the next try.
  if (event.detail.elt?.id === "live") return;
  complain("The server is not responding. What you entered is still here. Try again in a moment.");
});

document.addEventListener("htmx:responseError", (event) => {
  const { status } = event.detail.xhr;
  if (status === 401 || status === 403) tokenIsStale = true;
  if (status === 401) {
    complain("You have been logged out. What you entered is still here. Log in again in another tab, then retry.", wayIn());
  } else if (status === 429) {
    const wait = Number(event.detail.xhr.getResponseHeader("Retry-After")) || 1;
    complain(`Too many requests. What you entered is still here. Try again in ${inWords(wait)}.`);
  } else {
    complain(`Something went wrong (${status}). What you entered is still here. Try again, or reload the page.`);
  }
});

// New figures are written into the metrics page as it stands, so that focus, selection, scrolling and what is
// unfolded stay.
const keyOf = (node) => node.id || node.querySelector?.(":scope > th")?.textContent.trim() || "";

function renew(old, now) {
  if (old.isEqualNode(now)) return;
  if (old.nodeName !== now.nodeName) return old.replaceWith(now);
  if (old.nodeType !== Node.ELEMENT_NODE) {
    old.data = now.data;
    return;
  }
  for (const { name } of [...old.attributes]) {
    if (name !== "open" && !now.hasAttribute(name)) old.removeAttribute(name);
  }
  for (const { name, value } of now.attributes) {
    if (name !== "open" && old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  const known = new Map([...old.children].map((child) => [keyOf(child), child]));
  let place = old.firstChild;
  for (const wanted of [...now.childNodes]) {
    const key = keyOf(wanted);
    const same = key ? known.get(key) : place?.nodeName === wanted.nodeName && !keyOf(place) && place;
    if (!same) {
      old.insertBefore(wanted, place);
      continue;
    }
    known.delete(key);
    if (same === place) place = place.nextSibling;
    else old.insertBefore(same, place);
    renew(same, wanted);
  }
  while (place) {
    const next = place.nextSibling;
    place.remove();
    place = next;
  }
}

document.addEventListener("htmx:beforeSwap", (event) => {
  const { target, serverResponse, xhr } = event.detail;
  if (target.id !== "live" || xhr.status !== 200) return;
  const now = new DOMParser().parseFromString(serverResponse, "text/html").getElementById("live");
  if (!now) return;
  event.detail.shouldSwap = false;
  const focused = document.activeElement;
  renew(target, now);
  // A row that moved loses the focus.
  if (target.contains(focused)) focused.focus({ preventScroll: true });
  document.title = target.dataset.title;
});

// After "More" the focus moves to the first new entry; after an inline edit, to what comes next in that entry.
let moveFocus = null;

document.addEventListener("htmx:beforeSwap", ({ detail: { target, requestConfig, xhr } }) => {
  moveFocus = null;
  if ("comingBack" in root.dataset) return;
  if (target.matches(".more")) {
    const last = target.previousElementSibling;
    moveFocus = () => last.nextElementSibling?.querySelector("a")?.focus();
  } else if (target.matches(".entry")) {
    const { id, nextElementSibling: next, previousElementSibling: before } = target;
    const act = requestConfig?.elt?.dataset.act;
    if (act === "trash" && xhr.status === 200) {
      (next ?? before)?.querySelector("a")?.focus();
      return;
    }
    moveFocus = () => {
      const entry = document.getElementById(id);
      const wanted = ["[aria-invalid]", "[autofocus]", act ? `[data-act=${act}]` : "[data-edit]"];
      const found = wanted.map((selector) => entry?.querySelector(selector)).find(Boolean);
      found?.focus();
      if (found?.matches("input")) found.setSelectionRange(found.value.length, found.value.length);
    };
  }
});

// Good news from before contradicts an error that is in view now.
document.addEventListener("htmx:afterSwap", ({ detail: { elt } }) => {
  if (elt.querySelector?.("[role=alert]")) toasts?.replaceChildren();
});

function countShown() {
  const shown = document.querySelector("[data-shown]");
  if (shown) shown.textContent = document.querySelectorAll(".entry").length;
}

document.addEventListener("htmx:afterSettle", () => {
  countShown();
  moveFocus?.();
  moveFocus = null;
});

// Nothing settles in the place of a row that has left.
document.addEventListener("htmx:afterRequest", ({ detail: { requestConfig, successful } }) => {
  const act = requestConfig?.elt;
  if (act?.dataset.act !== "trash" || !successful || act.isConnected) return;
  countShown();
  for (const counted of document.querySelectorAll("[data-total]")) {
    const { total, one, many } = counted.dataset;
    const left = Number(total) - 1;
    counted.dataset.total = left;
    counted.textContent = `${left} ${left === 1 ? one : many}`;
  }
});

// How much a search found is said aloud once, from a region that is never replaced.
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target.id !== "results") return;
  const said = document.querySelector("#results [data-announce]");
  const region = document.getElementById("announce");
  if (said && region) region.textContent = said.dataset.announce;
  const problem = document.querySelector("#results [data-query-error]");
  const search = document.querySelector("input[type=search]");
  if (problem) search?.setAttribute("aria-invalid", "true");
  else search?.removeAttribute("aria-invalid");
});
