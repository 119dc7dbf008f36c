import { expect, test } from "vitest";
import { newFile, openThread } from "../files.ts";

test("what is to be committed goes before all reads that are not under way yet", async () => {
  const hub = await openThread(newFile());
  const { id } = await hub.send({ to_claude: "bob" });
  const ended: string[] = [];
  const reads = Array.from({ length: 50 }, async () => {
    await hub.store.get(id, hub.now);
    ended.push("read");
  });
  const commit = hub.send({ to_claude: "bob" }).then(() => ended.push("commit"));
  await Promise.all([...reads, commit]);
  expect(ended.indexOf("commit")).toBeLessThanOrEqual(2);
  expect(ended).toHaveLength(51);
});

test("a read that fails makes room for the next", async () => {
  const hub = await openThread(newFile());
  await hub.send({ to_claude: "bob" });
  const failing = Array.from({ length: 5 }, () => hub.store.log(null as never, -1, Number.NaN, {} as never));
  expect((await Promise.allSettled(failing)).map(({ status }) => status)).toEqual(Array(5).fill("rejected"));
  expect(await hub.store.counts()).toMatchObject({ pending: 1 });
});
