// Tags are completed while they are typed: in a list with commas, as one name, and after "tag:" in a search. It is the
// combobox of the ARIA Authoring Practices: arrows choose, Enter or Tab takes, Escape closes.

const ASKS_AFTER_MS = 120;
let open = null;
let timer;
let latest = 0;

// The part of the field that is being completed, and how a name takes its place.
const KINDS = {
  list: {
    part: (text) => text.slice(text.lastIndexOf(",") + 1).trimStart(),
    put: (text, part, name) => `${text.slice(0, text.length - part.length)}${name}, `,
  },
  one: { part: (text) => text, put: (text, part, name) => name },
  search: {
    part: (text) => text.match(/(?:^|\s)-?tag:"?([^"\s]*)$/i)?.[1] ?? "",
    put: (text, part, name) => `${text.slice(0, text.length - part.length).replace(/"$/, "")}${/\s/.test(name) ? `"${name}"` : name} `,
  },
};

function close() {
  if (!open) return;
  const { field, list } = open;
  list.remove();
  field.removeAttribute("aria-activedescendant");
  field.setAttribute("aria-expanded", "false");
  open = null;
}

function choose(index) {
  const { field, list } = open;
  const items = [...list.children];
  open.chosen = (index + items.length + 1) % (items.length + 1);
  items.forEach((item, at) => item.setAttribute("aria-selected", String(at === open.chosen)));
  const item = items[open.chosen];
  if (item) {
    field.setAttribute("aria-activedescendant", item.id);
    item.scrollIntoView({ block: "nearest" });
  } else {
    field.removeAttribute("aria-activedescendant");
  }
}

function take(name) {
  const { field, kind, part } = open;
  field.value = kind.put(field.value, part, name);
  close();
  field.focus();
  field.setSelectionRange(field.value.length, field.value.length);
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

function show(field, kind, part, names) {
  close();
  if (!names.length) return;
  const list = document.createElement("ul");
  list.className = "offers";
  list.id = "offers";
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", "Tags");
  for (const [at, name] of names.entries()) {
    const item = document.createElement("li");
    item.id = `offer-${at}`;
    item.setAttribute("role", "option");
    item.setAttribute("aria-selected", "false");
    item.textContent = name;
    // Before the field loses the focus.
    item.addEventListener("mousedown", (event) => {
      event.preventDefault();
      take(name);
    });
    list.append(item);
  }
  field.parentElement.classList.add("completes");
  field.after(list);
  if (!field.closest(".many")) list.style.top = `${field.offsetTop + field.offsetHeight + 2}px`;
  list.scrollIntoView({ block: "nearest" });
  for (const [name, value] of [["role", "combobox"], ["aria-autocomplete", "list"], ["aria-controls", "offers"], ["aria-expanded", "true"]]) {
    field.setAttribute(name, value);
  }
  open = { field, kind, part, list, chosen: names.length };
  say(names.length === 1 ? "1 suggestion." : `${names.length} suggestions.`);
}

// Said aloud from a region of its own.
const region = document.createElement("p");
region.className = "visually-hidden";
region.setAttribute("role", "status");
document.body.append(region);
const say = (text) => (region.textContent = text);

async function ask(field, kind, part) {
  latest += 1;
  const turn = latest;
  const address = new URL(`../tags/names?q=${encodeURIComponent(part)}`, import.meta.url);
  const answer = await fetch(address, { headers: { Accept: "application/json" } });
  if (!answer.ok || answer.redirected || turn !== latest || document.activeElement !== field) return;
  const given = field.dataset.complete === "list" ? field.value.split(",").slice(0, -1).map((name) => name.trim().toLowerCase()) : [];
  const names = (await answer.json()).filter((name) => name !== part && !given.includes(name.toLowerCase()));
  show(field, kind, part, names);
}

document.addEventListener("input", ({ target: field, isTrusted }) => {
  const kind = KINDS[field.dataset?.complete];
  if (!kind) return;
  clearTimeout(timer);
  const part = kind.part(field.value);
  if (!part || !isTrusted) {
    latest += 1;
    return close();
  }
  timer = setTimeout(() => ask(field, kind, part).catch(close), ASKS_AFTER_MS);
});

document.addEventListener("keydown", (event) => {
  if (!open || event.target !== open.field) return;
  const item = open.list.children[open.chosen];
  const act = {
    ArrowDown: () => choose(open.chosen + 1),
    ArrowUp: () => choose(open.chosen - 1),
    Escape: close,
    Enter: item && (() => take(item.textContent)),
    Tab: item && (() => take(item.textContent)),
  }[event.key];
  if (!act) return;
  event.preventDefault();
  act();
}, true);

document.addEventListener("focusout", ({ target }) => open?.field === target && close());
