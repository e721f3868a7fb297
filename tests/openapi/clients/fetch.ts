// What a program does with the types of openapi-typescript: sign in, save, page, change, meet a conflict, throw away.
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

const [origin = "", login = "", password = ""] = process.argv.slice(2);

/** The value, or the problem as an error. */
function had<T>(answer: { data?: T; error?: components["schemas"]["Problem"] }): T {
  if (answer.data === undefined) throw new Error(answer.error?.detail ?? "no answer");
  return answer.data;
}

function demand(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(what);
}

const guest = createClient<paths>({ baseUrl: origin });
const tokens = had(await guest.POST("/api/v1/auth/token", { body: { login, password } }));
const coffer = createClient<paths>({ baseUrl: origin, headers: { authorization: `Bearer ${tokens.access_token}` } });

const saved = await coffer.POST("/api/v1/resources", { body: { url: "https://example.org/fetch", tags: ["client"] } });
const entry = had(saved);
const etag = saved.response.headers.get("etag") ?? "";

const ids: string[] = [];
let cursor: string | null | undefined = "";
do {
  const page: components["schemas"]["ResourceList"] = had(
    await coffer.GET("/api/v1/resources", { params: { query: { limit: 7, cursor } } }),
  );
  ids.push(...page.items.map((item) => item.id));
  cursor = page.next_cursor;
} while (cursor);
demand(ids.includes(entry.id) && new Set(ids).size === ids.length, "every entry once");

const change = (title: string) =>
  coffer.PATCH("/api/v1/resources/{id}", {
    params: { path: { id: entry.id }, header: { "If-Match": etag } },
    body: { title },
  });
demand(had(await change("First")).version === 2, "the second version");
const conflict = await change("Second");
demand(conflict.error?.code === "version_conflict" && conflict.error.current_version === 2, "a conflict");

const gone = await coffer.DELETE("/api/v1/resources/{id}", { params: { path: { id: entry.id } } });
demand(gone.response.status === 204, "in the trash");
