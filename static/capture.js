// The window of the bookmarklet closes itself once the entry is saved; a browser that forbids it leaves the page's words.

const saved = document.querySelector("[data-closes]");
if (saved) setTimeout(() => window.close(), Number(saved.dataset.closes));
