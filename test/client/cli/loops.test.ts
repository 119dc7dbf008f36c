/** What an agent and a person see of an exchange that is stopped as a loop. */
import { expect, it } from "vitest";
import { startHub } from "../../support/hub.ts";
import { HubProcess } from "../../support/processes.ts";
import { runInside, shell } from "./coord.ts";

it("an exchange is stopped, looked at, and let go on", async () => {
  const { url } = await startHub({ bounds: { chain_hops: 2 } });
  const [ada, bob, person] = [shell(url, "ada"), shell(url, "bob"), shell(url, "person")];
  const first = (await ada("chat", "bob", "hello")).stdout.trim();
  const second = (await bob("chat", "ada", "hello to you", "--reply-to", first)).stdout.trim();
  const third = (await ada("chat", "bob", "and to you", "--reply-to", second)).stdout.trim();
  const refused = await bob("chat", "ada", "and again", "--reply-to", third);
  expect(refused).toMatchObject({ code: 1, stdout: "" });
  expect(refused.stderr).toContain(
    `This exchange has come 2 hops and is stopped as a loop: a person can let it go on with \`coord lift ${first}\``,
  );
  expect((await person("get", third)).stdout).toMatch(new RegExp(`^exchange +${first}, hop 2$`, "m"));
  const ids = async (...args: string[]) =>
    (await person("list", "--chain", ...args, "--json")).json.messages.map(({ id }: { id: string }) => id);
  for (const any of [first, second, third]) expect(await ids(any)).toEqual([first, second, third]);
  expect(await ids(third, "--order", "desc", "--from", "ada")).toEqual([third, first]);
  expect(await ids(third, "--from", "bob")).toEqual([second]);
  expect((await person("lift", first, "--hops", "1")).stdout).toBe(
    `${first} has come 2 of 3 hops (answers to answers): 1 more may follow\n`,
  );
  const fourth = await bob("chat", "ada", "and again", "--reply-to", third);
  expect(fourth.code).toBe(0);
  expect((await ada("chat", "bob", "no more", "--reply-to", fourth.stdout.trim())).code).toBe(1);
});

it("an exchange that was not stopped may go on as before", async () => {
  const { url } = await startHub({ bounds: { chain_hops: 5 } });
  const ada = shell(url, "ada");
  const id = (await ada("chat", "bob", "hello")).stdout.trim();
  expect((await ada("lift", id, "--hops", "2")).stdout).toBe(
    `${id} has come 0 of 5 hops (answers to answers): 5 more may follow, as before: it was not stopped\n`,
  );
  expect((await ada("lift", id, "--hops", "7")).stdout).toMatch(/ 0 of 7 hops .* 7 more may follow\n$/);
});

it("whoever runs the hub sets the bounds and the rates", async () => {
  const args = ["--chain-hops", "7", "--pending-per-sender", "8", "--rate", "1", "--rate-local"];
  const hub = await HubProcess.start({ args, env: { COORDINATION_PENDING_PER_RECIPIENT: "1" } });
  const { url } = hub;
  const info = await (await fetch(url)).json();
  expect(info.data.limits).toMatchObject({ chain_hops: 7, pending_per_sender: 8, pending_per_recipient: 1 });
  expect((await runInside(["send", "bob", "one"], { url, as: "ada" })).code).toBe(0);
  const full = await runInside(["send", "bob", "two"], { url, as: "eve" });
  expect(full.stderr).toContain("1 messages wait for bob, which is the most");
  const refused = await runInside(["heartbeat"], { url, as: "ada" });
  expect(refused.stderr).toContain("No more than 1 changes in 60 s");
});
