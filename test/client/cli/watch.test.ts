import { describe, expect, it } from "vitest";
import { connect } from "../../../client/sdk/index.ts";
import { startHub } from "../../support/hub.ts";
import { HubProcess } from "../../support/processes.ts";
import { CoordInside, CoordProcess, run, shell } from "./coord.ts";

describe("watch", () => {
  it("tells the life of a task, a line each", async () => {
    const { url } = await startHub();
    const [ada, bob] = [shell(url, "ada"), shell(url, "bob")];
    const watching = new CoordInside(["watch"], { url, as: "ada" });
    await ada("chat", "ada", "are you there?");
    await watching.prints(/are you there/);
    const id = (await ada("send", "bob", "count\n  the   words", "--backoff", "0")).stdout.trim();
    await bob("claim", id);
    await bob("fail", id, "busy", "--retryable");
    await bob("claim", id);
    await bob("progress", id, "2 of 3", "--percent", "66");
    await ada("cancel", id, "no longer needed");
    await bob("complete", id, "three");
    await ada("retry", id);
    await bob("claim", id);
    await bob("fail", id, "too many");
    await watching.prints(/failed/);
    const told = watching.stdout.split("\n").filter((line) => line.includes(id));
    expect(told.map((line) => line.replace(/^\d\d:\d\d:\d\d {2}/, "").replace(id, "ID"))).toEqual([
      "new        ID  ada → bob  count the words",
      "claimed    ID  ada → bob  by bob, attempt 1",
      "requeued   ID  ada → bob  busy",
      "ready      ID  ada → bob",
      "claimed    ID  ada → bob  by bob, attempt 2",
      "progress   ID  ada → bob  66 %, 2 of 3",
      "cancelled  ID  ada → bob  no longer needed, by ada",
      "late       ID  ada → bob  attempt 2, three",
      "requeued   ID  ada → bob",
      "ready      ID  ada → bob",
      "claimed    ID  ada → bob  by bob, attempt 3",
      "failed     ID  ada → bob  error, too many, by bob",
    ]);
  });

  it("shows a name its own messages, and everything with --all or without a name", async () => {
    const { url } = await startHub();
    const [ada, bob] = [shell(url, "ada"), shell(url, "bob")];
    const mine = new CoordInside(["watch", "--json"], { url, as: "bob" });
    const all = new CoordInside(["watch", "--json", "--all"], { url, as: "bob" });
    const observer = new CoordInside(["watch", "--json"], { url });
    const everybody = [mine, all, observer];
    await ada("chat", "bob", "begin");
    await Promise.all([mine, all].map((watching) => watching.prints(/begin/)));
    for (let i = 0; !observer.stdout.includes("ping"); i++) {
      await bob("chat", "bob", `ping ${i}`); // an observer has no backlog: until it is there
    }
    await ada("chat", "carol", "not for bob");
    await ada("chat", "bob", "end");
    await Promise.all(everybody.map((watching) => watching.prints(/"end"/)));
    expect(everybody.map(({ stdout }) => stdout.includes("not for bob"))).toEqual([false, true, true]);
  });

  it("goes on over a restart of the hub without losing an event", async () => {
    const hub = await HubProcess.start();
    const ada = shell(hub.url, "ada");
    const begin = (...more: string[]) => new CoordProcess(["watch", ...more], { url: hub.url, as: "bob" });
    const [forPeople, forPrograms] = [begin(), begin("--json")];
    await ada("chat", "bob", "before");
    await Promise.all([forPeople.prints(/before/), forPrograms.prints(/before/)]);
    await hub.kill();
    await Promise.all([
      forPeople.prints(/^reconnecting… \(.+\)$/m, "stderr"),
      forPrograms.prints(/^\{"note":"reconnecting… \(.+\)"\}$/m, "stderr"),
    ]);
    await startHub({ port: hub.port, db: hub.db });
    await ada("chat", "bob", "after");
    await Promise.all([forPeople.prints(/after/), forPrograms.prints(/after/)]);
    expect(forPeople.stderr).toMatch(/^connected again$/m);
    expect(await Promise.all([forPeople.end(), forPrograms.end()])).toEqual([130, 130]);
    const news = forPrograms.items.filter(({ kind }) => kind === "new");
    expect(news.map(({ message }) => message.task)).toEqual(["before", "after"]);
  });

  it("tells who comes and goes with --presence", async () => {
    const { url } = await startHub();
    const begin = (...more: string[]) => new CoordInside(["watch", "--presence", ...more], { url });
    const [forPeople, forPrograms] = [begin(), begin("--json")];
    const bob = await connect({ url, as: "bob", about: { host: "den\u202exob", roles: ["tester"] } });
    await forPeople.prints(/ {2}presence {3}bob is online \(websocket, den\\u202exob\)\n/);
    await forPrograms.prints(/"state":"online"/);
    await bob.close();
    await forPeople.prints(/bob is offline\n/);
    await forPrograms.prints(/"state":"offline"/);
    expect(forPrograms.items[0]).toMatchObject({ kind: "presence", claude_id: "bob", roles: ["tester"] });
  });

  it("ends quietly when nobody reads any more", async () => {
    const { url } = await startHub();
    const ada = shell(url, "ada");
    const watching = new CoordProcess(["watch"], { url, as: "bob" });
    await ada("chat", "bob", "one");
    await watching.prints(/one/);
    watching.child.stdout?.destroy();
    await ada("chat", "bob", "two");
    expect([await watching.ended, watching.stderr]).toEqual([0, ""]);
  });

  it("ends with 1 and says why when its output cannot be written, as every command does", async () => {
    const { url } = await startHub();
    await shell(url, "ada")("chat", "bob", "one");
    const full = { url, as: "bob", stdout: "/dev/full" };
    const says = "cannot write the output: ENOSPC: no space left on device, write";
    const [watch, list, out] = await Promise.all([
      run(["watch"], full),
      run(["list"], full),
      run(["export", "--json"], full),
    ]);
    expect([watch, list]).toMatchObject([
      { code: 1, stderr: expect.stringMatching(`error: ${says}\n$`) },
      { code: 1, stderr: `error: ${says}\n` },
    ]);
    expect([out.code, JSON.parse(out.stderr)]).toEqual([1, { error: says, code: "output_failed" }]);
  });
});
