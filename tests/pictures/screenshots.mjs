// Takes a picture of every page, at 1280 and 390 pixels, light and dark: bin/screenshots starts it.
import { mkdir } from "node:fs/promises";
import { chromium } from "playwright-core";
import { FOR_VISITORS, browserOptions, setUp } from "./pages.mjs";

const [origin, setupLink, folder] = process.argv.slice(2);
await mkdir(folder, { recursive: true });
const browser = await chromium.launch(browserOptions);
const ada = await setUp(browser, origin, setupLink);

for (const [width, height] of [[1280, 800], [390, 844]]) {
  for (const colorScheme of ["light", "dark"]) {
    for (const [storageState, paths] of [[undefined, FOR_VISITORS], [ada.state, ada.pages]]) {
      const context = await browser.newContext({ viewport: { width, height }, colorScheme, storageState });
      const page = await context.newPage();
      for (const { name, path } of paths) {
        await page.goto(origin + path);
        await page.screenshot({ path: `${folder}/${name}-${width}-${colorScheme}.png` });
      }
      await context.close();
    }
  }
}
await browser.close();
