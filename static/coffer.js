// Conveniences over pages that work without them: the / shortcut, toasts that leave,
// focus and announcements after htmx has changed a part of the page.

const root = document.documentElement;
const toasts = document.getElementById("toasts");
root.classList.add("js");

// "/" goes to the search box, unless somebody is typing.
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, textarea, select, [contenteditable]")) return;
  const search = document.querySelector("input[type=search]");
  if (!search) return;
  event.preventDefault();
  search.focus();
  search.select();
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
    toast.classList.add("leaving");
    setTimeout(() => toast.remove(), 450);
  };
  setTimeout(leave, wait);
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

// Whoever was too fast sees the time run down; the way on is offered when it is over.
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
  link.href = "/login";
  link.target = "_blank";
  link.textContent = "Log in";
  return link;
}

// A page that outlives its session holds that session's form token. Once somebody has logged in again elsewhere,
// the new session's token takes its place before the next request, so that what was typed here can still be sent.
let tokenIsStale = false;

async function renewToken() {
  const answer = await fetch("/api/v1/me");
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
  new MutationObserver(settleAll).observe(toasts, { childList: true });
  settleAll();
}

document.addEventListener("htmx:sendError", (event) => {
  // Figures that renew themselves come with the next try.
  if (event.detail.elt?.id === "live") return;
  complain("The server did not answer. What you typed is still here; try again in a moment.");
});

document.addEventListener("htmx:responseError", (event) => {
  const { status } = event.detail.xhr;
  if (status === 401 || status === 403) tokenIsStale = true;
  if (status === 401) {
    complain("You have been logged out. What you typed is still here: log in again in another tab, then repeat this.", wayIn());
  } else if (status === 429) {
    const wait = Number(event.detail.xhr.getResponseHeader("Retry-After")) || 1;
    complain(`That was too fast. What you typed is still here; try again in ${inWords(wait)}.`);
  } else {
    complain(`That did not work (${status}). What you typed is still here; try again, or reload the page.`);
  }
});

// What was unfolded or folded on the metrics page stays so when its figures are renewed.
let folds = new Map();

document.addEventListener("htmx:beforeSwap", ({ detail: { target } }) => {
  if (target.id !== "live") return;
  folds = new Map([...target.querySelectorAll("details[id]")].map(({ id, open }) => [id, open]));
});

document.addEventListener("htmx:load", ({ detail: { elt } }) => {
  if (elt.id !== "live") return;
  for (const [id, open] of folds) {
    const fold = document.getElementById(id);
    if (fold) fold.open = open;
  }
});

// After "More" the focus moves to the first new entry; after an inline edit, to what comes next in that entry.
let moveFocus = null;

document.addEventListener("htmx:beforeSwap", ({ detail: { target } }) => {
  moveFocus = null;
  if (target.matches(".more")) {
    const last = target.previousElementSibling;
    moveFocus = () => last.nextElementSibling?.querySelector("a")?.focus();
  } else if (target.matches(".entry")) {
    const { id } = target;
    moveFocus = () => {
      const entry = document.getElementById(id);
      const wanted = ["[aria-invalid]", "[autofocus]", "[data-edit]"];
      const found = wanted.map((selector) => entry?.querySelector(selector)).find(Boolean);
      found?.focus();
      if (found?.matches("input")) found.setSelectionRange(found.value.length, found.value.length);
    };
  }
});

document.addEventListener("htmx:afterSettle", () => {
  moveFocus?.();
  moveFocus = null;
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
