/** What is bounded stays bounded over a restart, and a file from before there were bounds is brought up to them. */
import { expect, test } from "vitest";
import { defer } from "../../../../support/defer.ts";
import { LEASE, NOW, run } from "../../../core/support.ts";
import { TIGHT } from "../../conformance/tight.ts";
import { StoreDriver, sending } from "../../driver.ts";
import { fileOfSchema, look, newFile } from "../files.ts";
import { HostStore } from "../hostStore.ts";

function open(file: string): Promise<StoreDriver> {
  const store = new HostStore({ file, lease: LEASE, bounds: TIGHT });
  defer(() => store.close());
  return new StoreDriver(store).open();
}

const from = (from_claude: string, to_claude: string, more = {}) => ({ from_claude, to_claude, ...more });

test("a batch that sends too much is refused the rest, and the bounds are as tight afterwards", async () => {
  const hub = await open(newFile());
  const sends = Array.from({ length: 10 }, () => sending(from("boss", "ada")));
  for (let round = 0; round < 2; round++) {
    const { outcomes } = await hub.commit(...sends);
    expect(outcomes.filter(({ ok }) => ok)).toHaveLength(TIGHT.pending_per_recipient);
    while ((await hub.claimNext(run("ada", "r1"))) !== null);
  }
});

test("what waits is counted anew when the file is opened", async () => {
  const file = newFile();
  const before = await open(file);
  for (const to of ["ada", "ada", "ada", "bob"]) await before.send(from("boss", to));
  const chat = await before.send(from("boss", "bob", { type: "chat" }));
  const refusals = async (hub: StoreDriver) =>
    Promise.all(
      [from("other", "ada"), from("boss", "eve")].map((said) => hub.send(said).catch(({ details }) => details)),
    );
  const full = [
    { to_claude: "ada", waiting: 3, limit: 3 },
    { from_claude: "boss", waiting: 5, limit: 5 },
  ];
  expect(await refusals(before)).toEqual(full);
  await before.close();
  const after = await open(file);
  expect(await refusals(after)).toEqual(full);
  await after.commit({ op: "delivered", reader: "bob", ids: [chat.id] });
  const toAll = () => after.send(from("boss", "*", { type: "chat" }));
  for (let i = 0; i < 3; i++) await toAll(); // there is nobody whom it waits for
  await after.commit({ op: "presence", transitions: [{ claude_id: "bob", state: "online", at: after.now }] });
  const { id } = await toAll();
  await after.commit({ op: "delivered", reader: "bob", ids: [id] });
  await toAll();
  await after.close();
  const again = await open(file);
  await expect(again.send(from("boss", "eve"))).rejects.toMatchObject({ code: "sender_full", details: full[1] });
});

test("a chain that was lifted stays lifted", async () => {
  const file = newFile();
  const before = await open(file);
  let last = await before.send(from("a", "b"));
  const first = last;
  for (let hop = 0; hop < TIGHT.chain_hops; hop++) last = await before.send(from(`a${hop}`, `b${hop}`, answer(last)));
  await before.do({ op: "lift", chain_id: first.id, hops: 1 });
  await before.close();
  const after = await open(file);
  const next = await after.send(from("x", "y", answer(last)));
  expect(next).toMatchObject({ chain_id: first.id, hops: TIGHT.chain_hops + 1 });
  await expect(after.send(from("x", "z", answer(next)))).rejects.toMatchObject({ code: "loop_stopped" });
});

test("a file of the first schema is brought up to this one: its messages can be answered, its backlog counts", async () => {
  const at = new Date(NOW).toISOString();
  const file = fileOfSchema(1, (db) => {
    const insert = db.prepare(
      `INSERT INTO coordination_messages (id, from_claude, to_claude, task, created_at, updated_at, claim_rank)
       VALUES (?, 'boss', 'ada', 'old', '${at}', '${at}', ${NOW})`,
    );
    for (const id of ["m1", "m2", "m3"]) insert.run(id);
    db.exec("UPDATE coordination_counts SET count = 3 WHERE status = 'pending'");
  });
  const hub = await open(file);
  await expect(hub.send(from("eve", "ada"))).rejects.toMatchObject({ code: "recipient_full", details: { waiting: 3 } });
  expect(await hub.get({ id: "m1" })).not.toHaveProperty("chain_id");
  expect(await hub.send(from("ada", "boss", answer({ id: "m1" })))).toMatchObject({ chain_id: "m1", hops: 1 });
  const columns = look(file, (db) => db.pragma("table_info(coordination_messages)") as { name: string }[]);
  expect(columns.slice(0, 2).map(({ name }) => name)).toEqual(["id", "from_claude"]);
});

const answer = ({ id }: { id: string }) => ({ reply_to: id, type: "chat" });
