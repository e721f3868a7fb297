// Entries that are ticked: Shift ticks all between two, and the bar for them is there as long as there are some.

const picks = () => [...document.querySelectorAll(".pick")];
let last = null;

function update() {
  const bar = document.getElementById("many");
  if (!bar) return;
  const count = picks().filter((pick) => pick.checked).length;
  bar.toggleAttribute("data-none", count === 0);
  bar.querySelector("[data-count]").textContent = count === 1 ? "1 entry selected" : `${count} entries selected`;
}

document.addEventListener("click", ({ target, shiftKey }) => {
  if (!target.matches?.(".pick")) return;
  const all = picks();
  const [from, to] = [all.indexOf(last), all.indexOf(target)].sort((one, other) => one - other);
  if (shiftKey && from >= 0) {
    for (const pick of all.slice(from, to + 1)) pick.checked = target.checked;
  }
  last = target;
  update();
});
document.addEventListener("htmx:afterSettle", update);
// A page that comes back may have its ticks still.
window.addEventListener("pageshow", update);
update();
