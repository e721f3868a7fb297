// What a program does with the client of hey-api: sign in, save, page, change, meet a conflict, throw away.
import { client } from "./hey/client.gen.js";
import { createResource, listResources, signIn, trashResource, updateResource } from "./hey/sdk.gen.js";

const [origin = "", login = "", password = ""] = process.argv.slice(2);

function demand(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(what);
}

client.setConfig({ baseUrl: origin });
const tokens = await signIn({ body: { login, password }, throwOnError: true });
client.setConfig({ auth: tokens.data.access_token });

const saved = await createResource({
  body: { url: "https://example.org/hey", tags: ["client"] },
  throwOnError: true,
});
const id = saved.data.id;
const etag = saved.response.headers.get("etag") ?? "";

const ids: string[] = [];
let cursor: string | undefined;
do {
  const query = cursor === undefined ? { limit: 7 } : { limit: 7, cursor };
  const page = await listResources({ query, throwOnError: true });
  ids.push(...page.data.items.map((item) => item.id));
  cursor = page.data.next_cursor ?? undefined;
} while (cursor !== undefined);
demand(ids.includes(id) && new Set(ids).size === ids.length, "every entry once");

const change = (title: string) => updateResource({ path: { id }, headers: { "If-Match": etag }, body: { title } });
demand((await change("First")).data?.version === 2, "the second version");
const conflict = await change("Second");
demand(conflict.error?.code === "version_conflict" && conflict.error.current_version === 2, "a conflict");

const gone = await trashResource({ path: { id }, throwOnError: true });
demand(gone.response?.status === 204, "in the trash");
