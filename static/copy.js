// A button that copies, beside every text that is there to be copied.

// Browsers have a clipboard only on https and on this machine.
const put = (text) => navigator.clipboard?.writeText(text);

function offer(copy, act) {
  copy.addEventListener("click", async () => {
    await act();
    const label = copy.textContent;
    copy.textContent = "Copied";
    setTimeout(() => (copy.textContent = label), 2000);
  });
}

for (const field of document.querySelectorAll("[data-copy]")) {
  if (field.matches("button")) {
    field.hidden = !navigator.clipboard;
    offer(field, () => put(location.origin + location.pathname));
    continue;
  }
  const row = document.createElement("div");
  row.className = "copies";
  const hadFocus = document.activeElement === field;
  field.replaceWith(row);
  const copy = Object.assign(document.createElement("button"), { type: "button", className: "button", textContent: "Copy" });
  copy.setAttribute("aria-live", "polite");
  row.append(field, copy);
  if (hadFocus) field.focus();
  offer(copy, () => {
    field.select();
    return navigator.clipboard ? put(field.value) : document.execCommand("copy");
  });
}
