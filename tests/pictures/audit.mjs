// Runs axe on every page, wide and narrow, light and dark, and Lighthouse on those that are opened most: bin/check-pages
// starts it.
import axe from "axe-core";
import lighthouse, { desktopConfig } from "lighthouse";
import { chromium } from "playwright-core";
import { FOR_VISITORS, browserOptions, setUp } from "./pages.mjs";

const LEAST_SCORE = 98;
const CATEGORIES = ["performance", "accessibility", "best-practices", "seo"];
const TRIES = 3;

const [origin, setupLink] = process.argv.slice(2);
const port = Number(process.env.DEBUGGING_PORT);
const args = [...browserOptions.args, `--remote-debugging-port=${port}`];
const browser = await chromium.launch({ ...browserOptions, args });
const ada = await setUp(browser, origin, setupLink);
const wrong = [];

async function runAxe(page, path, how) {
  await page.goto(origin + path);
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => axe.run());
  for (const { id, nodes } of violations) wrong.push(`axe, ${path}, ${how}: ${id} at ${nodes.map(({ target }) => target).join(" and ")}`);
}

for (const [width, height] of [[1280, 800], [390, 844]]) {
  for (const colorScheme of ["light", "dark"]) {
    for (const [storageState, paths] of [[undefined, FOR_VISITORS], [ada.state, ada.pages]]) {
      const context = await browser.newContext({ viewport: { width, height }, colorScheme, storageState });
      const page = await context.newPage();
      for (const { path } of paths) await runAxe(page, path, `${width} px, ${colorScheme}`);
      await context.close();
    }
  }
}

const Cookie = ada.state.cookies.map(({ name, value }) => `${name}=${value}`).join("; ");
const note = ada.pages.find(({ name }) => name === "note").path;
const pages = [["/login", {}], ...["/resources", note, `${note}/edit`, "/tags"].map((path) => [path, { Cookie }])];

// Lighthouse gives no score where it was too slow itself.
async function judged(path, extraHeaders, tries = TRIES) {
  const flags = { port, extraHeaders, disableStorageReset: true, onlyCategories: CATEGORIES, logLevel: "error" };
  const { lhr } = await lighthouse(origin + path, flags, desktopConfig);
  const isWhole = CATEGORIES.every((name) => lhr.categories[name].score !== null);
  return isWhole || tries === 1 ? lhr : judged(path, extraHeaders, tries - 1);
}

for (const [path, extraHeaders] of pages) {
  const lhr = await judged(path, extraHeaders);
  const scores = CATEGORIES.map((name) => [name, Math.round(lhr.categories[name].score * 100)]);
  console.log(`Lighthouse, ${path}: ${scores.map(([name, score]) => `${name} ${score}`).join(", ")}`);
  for (const [name, score] of scores) {
    const failed = lhr.categories[name].auditRefs.filter(({ id, weight }) => weight > 0 && lhr.audits[id].score < 1 && lhr.audits[id].score !== null);
    if (score < LEAST_SCORE) wrong.push(`Lighthouse, ${path}: ${name} is ${score}: ${failed.map(({ id }) => id).join(", ")}`);
  }
}

await browser.close();
for (const sentence of wrong) console.error(sentence);
process.exit(wrong.length ? 1 : 0);
