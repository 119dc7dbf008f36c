/** Templates in the file: older files get a place for them, restarts keep them, keys take theirs along. */
import { expect, test } from "vitest";
import type { StoreCommand } from "../../../../../server/store/storeCommands.ts";
import { LIMITS } from "../../../../../shared/limits.ts";
import type { TemplateBody } from "../../../../../shared/template.ts";
import { name } from "../../../core/support.ts";
import { fileOfSchema, inside, look, newFile, openStore, openThread } from "../files.ts";

const ADA = name("ada");
const BODY: TemplateBody = { message: { to_claude: "bob", task: "x" } };

const put = (template: string, body = BODY): StoreCommand => ({
  op: "template_put",
  caller: ADA,
  name: template,
  body,
});
const send = (template: string, key?: string): StoreCommand => ({
  op: "template_send",
  said: { from_claude: "ada", template },
  key,
});

test("a file of the first schema is brought up to date, and keeps what it holds", async () => {
  const file = fileOfSchema(1, (db) => {
    db.exec("INSERT INTO coordination_keys VALUES ('ada', 'old', 'a1', 'f', 0)");
  });
  const hub = await openStore(file);
  await hub.outcome(put("t"));
  await expect(hub.outcome(send("t", "old"))).rejects.toMatchObject({ code: "idempotency_conflict" });
  expect(await hub.outcome(send("t", "new"))).toMatchObject({ deduplicated: false });
});

test("templates and what keys stand for survive a restart", async () => {
  const file = newFile();
  const before = await openThread(file);
  await before.outcome(put("t"));
  await before.outcome(
    put("m", {
      steps: [
        { key: "a", template: "t" },
        { key: "b", template: "t", after: ["a"] },
      ],
    }),
  );
  const first = await before.outcome(send("m", "k"));
  const kept = await before.store.template("m");
  await before.close();
  const after = await openThread(file);
  expect(await after.store.template("m")).toBe(kept);
  expect(await after.store.templates()).toMatchObject([{ name: "m", kind: "macro" }, { name: "t" }]);
  expect(await after.outcome(send("m", "k"))).toEqual({ ...first, deduplicated: true });
});

test("what a key stands for goes with its key", async () => {
  const file = newFile();
  const hub = await openStore(file);
  await hub.outcome(put("t"));
  await hub.outcome(send("t", "k"));
  const rows = () => look(file, (db) => db.prepare("SELECT count(*) FROM coordination_template_keys").pluck().get());
  expect(rows()).toBe(1);
  inside(file, (db) => {
    db.pragma("foreign_keys = ON");
    db.exec("DELETE FROM coordination_keys");
  });
  expect(rows()).toBe(0);
  expect(await hub.outcome(send("t", "k"))).toMatchObject({ deduplicated: false });
});

test("there are at most so many; those there are can still be put", async () => {
  const hub = await openStore(newFile());
  const all = Array.from({ length: LIMITS.templates }, (_, i) => put(`t${i}`));
  await hub.commit(...all);
  await expect(hub.outcome(put("one-more"))).rejects.toMatchObject({
    code: "too_large",
    message: `There are ${LIMITS.templates} templates already: delete one first`,
  });
  await hub.outcome(put("t0", { message: { task: "y" } }));
  expect(await hub.store.templates()).toHaveLength(LIMITS.templates);
});
