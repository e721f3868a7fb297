// What is typed into a form and not saved yet stays in this browser: it is offered when the form is opened again, in
// whichever tab, dropped once it is saved, and removed when you log out or after a month. Back fills the form with it where
// the browser has not restored the fields itself.

const PREFIX = "coffer.draft ";
const SENT = "coffer.sent";
const WRITTEN = "coffer.written";
const OWN_FIELDS = ["csrf", "back", "kind", "trash"];
const SAVED = "[data-notice^='saved'], [data-notice='taken-back']";
const WRITES_AFTER_MS = 250;
const KEPT_FOR_MS = 30 * 24 * 3600 * 1000;

function stored(key) {
  try {
    return JSON.parse(localStorage.getItem(key));
  } catch {
    return null;
  }
}

let hasLoggedOut = false;

function store(key, draft) {
  if (hasLoggedOut) return;
  try {
    localStorage.setItem(key, JSON.stringify(draft));
    sessionStorage.setItem(WRITTEN, draft.at);
  } catch {
    // The store is full or switched off. Leaving the page asks all the same.
  }
}

// What the fields hold; without a version, so that two texts can be compared.
function typed(form) {
  const fields = [...new FormData(form)].filter(([name]) => !OWN_FIELDS.includes(name) && name !== "version");
  return Object.fromEntries(fields);
}

// What the page came with.
function original(form) {
  const fields = [...form.elements].filter((field) => field.name && field.name in typed(form));
  const chosen = fields.filter((field) => field.type !== "radio" || field.defaultChecked);
  return Object.fromEntries(chosen.map((field) => [field.name, field.type === "radio" ? field.value : field.defaultValue]));
}

const normal = (text) => text.replaceAll("\r\n", "\n");
const isSame = (one, other) =>
  Object.keys({ ...one, ...other }).every((name) => normal(one[name] ?? "") === normal(other[name] ?? ""));

function fill(form, { fields, version }) {
  for (const [name, value] of Object.entries({ ...fields, version })) {
    const field = form.elements[name];
    if (field && value !== undefined) field.value = value;
  }
  for (const box of form.querySelectorAll("input[type=checkbox]")) box.checked = box.name in fields;
  form.dispatchEvent(new Event("input", { bubbles: true }));
}

function button(text, primary, act) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = primary ? "button small primary" : "button small";
  made.textContent = text;
  made.addEventListener("click", act);
  return made;
}

function offer(form, key, draft) {
  const box = document.createElement("div");
  box.className = "notice";
  box.setAttribute("role", "status");
  const sentence = document.createElement("p");
  const when = new Date(draft.at).toLocaleString("en-GB", {
    day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit",
  });
  sentence.textContent = `You have an unsaved draft from ${when}.`;
  const actions = document.createElement("div");
  actions.className = "actions";
  actions.append(
    button("Restore draft", true, () => {
      box.remove();
      fill(form, draft);
      form.querySelector("input:not([type=hidden]), textarea")?.focus();
    }),
    button("Discard draft", false, () => {
      box.remove();
      localStorage.removeItem(key);
    }),
  );
  box.append(sentence, actions);
  form.before(box);
}

const cameBack = performance.getEntriesByType("navigation")[0]?.type === "back_forward";
const isOfThisTab = (draft) => sessionStorage.getItem(WRITTEN) === String(draft.at);

function keep(form) {
  const key = PREFIX + form.dataset.draft;
  const before = original(form);
  const changed = () => !isSame(before, typed(form));
  let sending = false;
  let timer;

  const write = () => {
    clearTimeout(timer);
    if (changed()) store(key, { at: Date.now(), fields: typed(form), version: form.elements.version?.value });
    else localStorage.removeItem(key);
  };
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(write, WRITES_AFTER_MS);
  });
  form.addEventListener("submit", () => {
    write();
    sending = true;
    sessionStorage.setItem(SENT, key);
  });
  const writeNow = () => timer && changed() && write();
  window.addEventListener("pagehide", writeNow);
  // A tab in the background waits longer for its timers.
  document.addEventListener("visibilitychange", writeNow);
  window.addEventListener("pageshow", () => (sending = false));
  window.addEventListener("beforeunload", (event) => {
    if (!sending && changed()) event.preventDefault();
  });

  const draft = stored(key);
  if (!draft || isSame(draft.fields, typed(form))) return;
  if (cameBack && isOfThisTab(draft) && !changed()) fill(form, draft);
  else offer(form, key, draft);
}

const sent = sessionStorage.getItem(SENT);
if (sent && document.querySelector(SAVED)) {
  localStorage.removeItem(sent);
  sessionStorage.removeItem(SENT);
}
const drafts = () => Object.keys(localStorage).filter((key) => key.startsWith(PREFIX));
drafts().filter((key) => !(stored(key)?.at > Date.now() - KEPT_FOR_MS)).forEach((key) => localStorage.removeItem(key));
document.querySelectorAll("form[data-draft]").forEach(keep);

document.querySelector("form[action$='/logout']")?.addEventListener("submit", () => {
  hasLoggedOut = true;
  drafts().forEach((key) => localStorage.removeItem(key));
});
