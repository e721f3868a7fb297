// A file that is dropped beside a file input, in its field, is chosen too.

for (const area of document.querySelectorAll("[data-drop]")) {
  const input = area.querySelector("input[type=file]");
  const mark = (isOver) => area.classList.toggle("over", isOver);
  area.addEventListener("dragover", (event) => {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    mark(true);
  });
  area.addEventListener("dragleave", () => mark(false));
  area.addEventListener("drop", (event) => {
    mark(false);
    const [file] = event.dataTransfer.files;
    if (!file) return;
    event.preventDefault();
    // The form takes one file, also where several are dropped.
    const chosen = new DataTransfer();
    chosen.items.add(file);
    input.files = chosen.files;
  });
}
