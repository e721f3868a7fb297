// What is wrong with the page for somebody who can't see it, can't see it well or uses a keyboard: one
// sentence each. The contrast is WCAG 2.2's, 1.4.3, against the nearest opaque background.
const wrong = [];
const expect = (fine, sentence) => fine || wrong.push(sentence);
const all = (css) => [...document.querySelectorAll(css)];
const shown = (element) => element.checkVisibility({ visibilityProperty: true });
const brief = (element) => element.outerHTML.replace(/\s+/g, " ").slice(0, 120);

expect(document.documentElement.lang, "the page has no language");
expect(document.title.trim(), "the page has no title");
for (const once of ["h1", "main", "body > header", "body > footer"]) {
  expect(all(once).length === 1, `there are ${all(once).length} of ${once}`);
}
if (all("nav").length > 1) for (const nav of all("nav")) expect(nav.ariaLabel, `unnamed: ${brief(nav)}`);

const LANDMARKS = "nav, aside, [role=region], [role=search], section[aria-label], section[aria-labelledby], form[aria-label]";
const landmarks = all(LANDMARKS).map((mark) => {
  const by = document.getElementById(mark.getAttribute("aria-labelledby"))?.textContent ?? "";
  return `${mark.getAttribute("role") ?? mark.localName} “${(mark.ariaLabel ?? by).trim()}”`.replace(/^(section|region)/, "region");
});
for (const mark of landmarks) expect(landmarks.indexOf(mark) === landmarks.lastIndexOf(mark), `two landmarks are ${mark}`);
for (const inside of all("dl > div > *")) expect(/^(dt|dd)$/.test(inside.localName), `in a list of terms: ${brief(inside)}`);
for (const { dateTime } of all("time")) expect(!/\.\d{4,}/.test(dateTime), `HTML knows no time ${dateTime}`);
for (const wide of all(".prose :is(pre, table)")) expect(wide.tabIndex === 0, `no keyboard scrolls ${brief(wide)}`);
expect(document.querySelector("meta[name=description]")?.content, "the page has no description");
for (const cell of all("tr.refused td:first-child")) {
  const mark = [cell, cell.parentElement].find((one) => getComputedStyle(one).boxShadow !== "none");
  const ends = [...getComputedStyle(mark ?? cell).boxShadow.matchAll(/-([\d.]+)px 0px 0px 0px/g)].map((end) => Number(end[1]));
  const [near = 0, far = 0] = ends;
  const text = document.createRange();
  text.selectNodeContents(cell);
  const left = (mark ?? cell).getBoundingClientRect().left;
  const gap = text.getBoundingClientRect().left - left + near;
  expect(far > near && gap >= 4, `the bar of ${far - near} px stands ${gap} px from the text of ${brief(cell)}`);
  for (let around = cell.parentElement; around; around = around.parentElement) {
    const cuts = getComputedStyle(around).overflowX !== "visible" && around.getBoundingClientRect().left > left - far;
    expect(!cuts, `the bar of ${brief(cell)} is cut off by ${brief(around)}`);
  }
}
const edits = all("[data-edit]").map((link) => link.textContent);
expect(edits.every((edit) => edit.includes("“")), "an Edit doesn't say of what");
expect(new Set(edits).size === edits.length, `two are called alike among ${edits}`);

const ids = all("[id]").map((element) => element.id);
for (const id of ids) expect(ids.indexOf(id) === ids.lastIndexOf(id), `two elements are #${id}`);
for (const name of ["for", "aria-labelledby"]) {
  for (const element of all(`[${name}]`)) {
    expect(document.getElementById(element.getAttribute(name)), `${name} leads nowhere: ${brief(element)}`);
  }
}

for (const field of all("input:not([type=hidden]), select, textarea").filter(shown)) {
  expect([...field.labels].some((label) => label.innerText.trim()) || field.ariaLabel, `no label: ${brief(field)}`);
}
for (const pressed of all("a[href], button, summary").filter(shown)) {
  expect(pressed.textContent.trim() || pressed.ariaLabel, `no name: ${brief(pressed)}`);
}
for (const picture of all("img")) expect(picture.hasAttribute("alt"), `no alternative: ${brief(picture)}`);
for (const button of all(".button, button").filter(shown)) {
  expect(button.getBoundingClientRect().height >= 24, `too small to hit: ${brief(button)}`);
}

let level = 0;
for (const heading of all("main :is(h1, h2, h3, h4, h5, h6)").filter((heading) => !heading.closest(".prose"))) {
  const own = Number(heading.localName[1]);
  expect(own <= level + 1, `h${own} comes after h${level}: ${brief(heading)}`);
  level = own;
}

const channels = (colour) => colour.match(/[\d.]+/g).map(Number);
const luminance = (colour) => {
  const [r, g, b] = channels(colour).map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const isOpaque = (colour) => (channels(colour)[3] ?? 1) === 1;
const backdrop = (element) => {
  for (let under = element; under; under = under.parentElement) {
    const { backgroundColor } = getComputedStyle(under);
    if (isOpaque(backgroundColor)) return backgroundColor;
  }
  return "rgb(255, 255, 255)";
};
for (const element of all("body *").filter(shown)) {
  const says = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
  if (!says) continue;
  const { color, fontSize, fontWeight } = getComputedStyle(element);
  const [dark, light] = [luminance(color), luminance(backdrop(element))].sort((a, b) => a - b);
  const contrast = (light + 0.05) / (dark + 0.05);
  const large = parseFloat(fontSize) >= 24 || (parseFloat(fontSize) >= 18.66 && fontWeight >= 700);
  expect(contrast >= (large ? 3 : 4.5), `contrast ${contrast.toFixed(2)}: ${brief(element)}`);
}

const { scrollWidth, clientWidth } = document.documentElement;
if (scrollWidth > clientWidth) {
  const widest = all("body *").sort((a, b) => b.getBoundingClientRect().right - a.getBoundingClientRect().right);
  wrong.push(`${scrollWidth - clientWidth} px stick out: ${brief(widest[0])}`);
}
return wrong;
