// The pages that are looked at, in a library that is set up for them.

export const PASSWORD = "correct horse battery staple 9";

export const browserOptions = {
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
};

const named = (path) => ({ path, name: path.replace(/[/?=&:%.+]+/g, "_").replace(/^_|_$/g, "") });

export const FOR_VISITORS = ["/login", "/register", "/password/forgot", "/nowhere", "/u/ada", "/api/docs", "/api/docs/errors"].map(named);

const FOR_ADMINS = [
  "/resources", "/resources?q=tide", "/resources?q=nothing+like+this", "/resources?q=is%3A", "/resources/new", "/resources/new?kind=note",
  "/searches", "/tags", "/trash", "/import", "/settings/profile", "/settings/display", "/settings/security", "/settings/sessions", "/settings/capture",
  "/settings/tokens", "/settings/webhooks", "/settings/shares", "/settings/shares?tag=sea", "/settings/activity", "/settings/data", "/admin", "/admin/metrics", "/admin/users", "/admin/invites", "/admin/audit",
  "/admin/limits",
].map(named);

const TEXT = "High water at noon, low water at six.\n\n## Harbours\n\n- Leith\n- Dunbar\n\n| harbour | high |\n|---|---|\n| Leith | 12:04 |\n\n> Mind the bar at low water.\n\n```\ntides --at leith\n```";
const TITLES = ["Tide tables of Leith", "The Rust Programming Language", "How lighthouses were lit before electricity", "MPU6050 accelerometer notes", "A recipe for oatcakes that keeps well for a week at sea, and what to eat with it"];

/** Sets coffer up by its setup link and fills its library; returns the session, and the pages of its admin. */
export async function setUp(browser, origin, setupLink) {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(setupLink);
  for (const [name, value] of Object.entries({ email: "ada@example.org", username: "ada", display_name: "Ada Lovelace", password: PASSWORD })) {
    await page.fill(`input[name=${name}]`, value);
  }
  await page.click("main form button.primary");
  await page.waitForSelector("h1");
  const me = await (await context.request.get(`${origin}/api/v1/me`)).json();
  const save = async (data) => {
    const headers = { "X-CSRF-Token": me.csrf, Origin: origin };
    return (await context.request.post(`${origin}/api/v1/resources`, { data, headers })).json();
  };
  for (let entry = 24; entry > 0; entry -= 1) {
    const title = TITLES[entry % TITLES.length];
    const tags = ["sea", "work/rust", "reading"].slice(entry % 3);
    await save({ title, url: `https://site${entry}.example/tides/${entry}`, body: TEXT, tags, pinned: entry === 9, unread: entry % 5 === 0, visibility: entry % 7 ? "private" : "public" });
  }
  for (const [name, search] of [["Rust at work", "tag=work%2Frust"], ["To read", "q=is%3Aunread"], ["Tides", "q=tide&sort=title"]]) {
    await context.request.post(`${origin}/api/v1/searches`, { data: { name, search }, headers: { "X-CSRF-Token": me.csrf, Origin: origin } });
  }
  const note = await save({ title: "High water in September", body: TEXT, tags: ["sea"] });
  const headers = { "X-CSRF-Token": me.csrf, Origin: origin, "If-Match": '"1"' };
  await context.request.patch(`${origin}/api/v1/resources/${note.id}`, { data: { body: `${TEXT}\n\nSprings on the 12th.`, tags: ["sea", "tides"] }, headers });
  const gone = await save({ title: "Thrown away", body: "Old." });
  await context.request.delete(`${origin}/api/v1/resources/${gone.id}`, { headers });
  const shared = await (await context.request.post(`${origin}/api/v1/me/shares`, { data: { tag: "sea" }, headers: { "X-CSRF-Token": me.csrf, Origin: origin } })).json();
  for (const data of [{}, { tag: "work/rust" }]) {
    await context.request.post(`${origin}/api/v1/me/feeds`, { data, headers: { "X-CSRF-Token": me.csrf, Origin: origin } });
  }
  const list = new URL(shared.url).pathname;
  const links = [{ path: list, name: "shared_list" }, { path: `${list}/entries/${note.id}`, name: "shared_entry" }];
  const own = ["", "/edit", "/revisions", "/revisions/1"].map((rest) => ({ path: `/resources/${note.id}${rest}`, name: `note${rest.replaceAll("/", "_")}` }));
  return { state: await context.storageState(), pages: [...FOR_ADMINS, ...own, ...links] };
}
