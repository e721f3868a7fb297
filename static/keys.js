// Keys: single ones unless they are switched off (WCAG 2.2, 2.1.4), Ctrl+Enter to save, Escape to leave.

const singleKeys = "shortcuts" in document.documentElement.dataset;
const EDIT = "[data-edit], .record a[href$='/edit']";
const click = (element) => element?.click();
const entries = () => [...document.querySelectorAll(".entry:has([data-open])")];
const current = () => document.activeElement?.closest(".entry");

function move(by) {
  const all = entries();
  const at = all.indexOf(current());
  const next = at < 0 ? all[0] : all[at + by];
  next?.querySelector("[data-open]").focus();
}

/** What acts on the entry that has the focus, or on the page of one entry. */
const ofEntry = (selector) => (entries().length ? current()?.querySelector(selector) : document.querySelector(selector));

function editTags() {
  if (document.querySelector(".pick:checked")) return document.getElementById("many-tags")?.focus();
  const edit = ofEntry(EDIT);
  if (!edit) return;
  if (!edit.matches("[hx-get]")) return location.assign(`${edit.href}#tags`);
  document.addEventListener("htmx:afterSettle", () => current()?.querySelector("input[name=tags]")?.focus(), { once: true });
  click(edit);
}

function search() {
  const box = document.querySelector("input[aria-keyshortcuts='/']");
  if (!box) return location.assign(new URL("../resources#q", import.meta.url));
  box.focus();
  box.select();
}

const KEYS = {
  "/": ["Search", search],
  n: ["New entry", () => document.getElementById("url")?.focus() ?? location.assign(new URL("../resources/new", import.meta.url))],
  j: ["Next entry", () => move(1)],
  k: ["Previous entry", () => move(-1)],
  o: ["Open", () => click(ofEntry("[data-open], .source a"))],
  e: ["Edit", () => click(ofEntry(EDIT))],
  t: ["Edit tags", editTags],
  x: ["Select", () => click(ofEntry(".pick"))],
  "#": ["Move to trash", () => click(ofEntry("[data-act=trash], form[action$='/trash'] button"))],
  u: ["Undo", () => click(document.querySelector(".toast form button"))],
  "?": ["Show these keys", list],
};

function list() {
  const open = document.querySelector(".shortcuts");
  if (open) return open.showModal();
  const dialog = document.createElement("dialog");
  dialog.className = "shortcuts";
  dialog.setAttribute("aria-labelledby", "shortcuts-heading");
  const heading = document.createElement("h2");
  heading.id = "shortcuts-heading";
  heading.textContent = "Keyboard shortcuts";
  const rows = [...Object.entries(KEYS).map(([key, [what]]) => [key, what]), ["Ctrl Enter", "Save"], ["Esc", "Cancel, or leave the search"]];
  const keys = document.createElement("dl");
  for (const [key, what] of rows) {
    const term = document.createElement("dt");
    term.append(Object.assign(document.createElement("kbd"), { textContent: key }));
    keys.append(term, Object.assign(document.createElement("dd"), { textContent: what }));
  }
  const off = Object.assign(document.createElement("a"), { href: new URL("../settings/display", import.meta.url), textContent: "Turn them off" });
  const close = Object.assign(document.createElement("button"), { className: "button", textContent: "Close" });
  const form = Object.assign(document.createElement("form"), { method: "dialog", className: "actions" });
  form.append(close, off);
  dialog.append(heading, keys, form);
  document.body.append(dialog);
  dialog.showModal();
}

const isTyping = (target) => target.closest("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable], dialog");

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.defaultPrevented) return;
  const key = KEYS[event.key];
  if (!singleKeys || !key || isTyping(event.target)) return;
  event.preventDefault();
  key[1]();
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
  const { form } = event.target;
  if (form?.method !== "post") return;
  event.preventDefault();
  form.requestSubmit(form.querySelector("button.primary") ?? undefined);
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.defaultPrevented || event.isComposing) return;
  const { target } = event;
  if (target.closest("dialog")) return;
  if (target.matches("input[type=search]")) leaveSearch(target);
  else click((target.form ?? document).querySelector("[data-cancel]"));
});

function leaveSearch(box) {
  const searched = new URLSearchParams(location.search).get("q");
  box.value = "";
  if (searched && box.form) box.form.requestSubmit();
  box.blur();
}

// An empty search is no search.
document.addEventListener("htmx:configRequest", ({ detail: { elt, parameters } }) => {
  if (elt.matches(".search") && !parameters.q) delete parameters.q;
});
