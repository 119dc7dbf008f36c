import { execFile } from "node:child_process";
import { createRequire } from "node:module";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { connect, type Hub, SDK_VERSION } from "../../../client/sdk/index.ts";
import { LIVENESS } from "../../../shared/index.ts";
import { ManualClock } from "../../support/clock.ts";
import { startHub } from "../../support/hub.ts";
import { repository } from "../../support/repository.ts";
import { Heard, join, later, startProxied } from "./support.ts";

/** Runs a program that imports the built SDK. @returns what it printed; rejects when it does not end by itself. */
async function run(program: string): Promise<string> {
  const source = `import { connect } from "${repository}dist/client/sdk/index.js";\n${program}`;
  const options = { timeout: 10_000, killSignal: "SIGKILL" } as const;
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    ["--input-type=module", "--eval", source],
    options,
  );
  return stdout + stderr;
}

describe("a program", () => {
  it("does nothing by importing the SDK", async () => {
    expect(await run("")).toBe("");
  });

  it("ends by itself although the hub cannot be told any more to take back what a claim brought", async () => {
    const { server, proxy, url } = await startProxied();
    const ada = await join(server.url, { as: "ada" });
    const claimed = new Heard(ada, "claimed");
    const program = `
      const bob = await connect({ url: "${url}", as: "bob", transport: "websocket", keep_alive: false });
      console.log(await bob.claimNext({ wait_ms: 1_000 }, { timeout_ms: 1_000 }).catch(({ code }) => code));`;
    const printed = run(program);
    while ((await ada.presence()).instances.every(({ claude_id }) => claude_id !== "bob"));
    proxy.holdAnswers();
    await ada.send({ to_claude: "bob", task: "x" });
    await claimed.count(1);
    proxy.faults.refuse = "connections";
    proxy.cut();
    expect(await printed).toBe("call_timeout\n");
  });

  it("ends by itself after close()", async () => {
    const { url } = await startHub();
    const program = `
      const hub = await connect({ url: "${url}", as: "ada" });
      hub.on("new", () => {});
      hub.work(() => "x", { concurrency: 3 });
      await hub.stats();
      await hub.close();
      console.log("closed");`;
    expect(await run(program)).toBe("closed\n");
  });

  it.each(["websocket", "long_poll"])(
    "that is not to be kept alive ends over %s when it has its answers",
    async (transport) => {
      const { url } = await startHub();
      const program = `
      const hub = await connect({ url: "${url}", as: "ada", transport: "${transport}", keep_alive: false });
      if ("${transport}" === "websocket") hub.on("new", () => {});
      const task = await hub.send({ to_claude: "ada", task: "x" });
      await hub.update({ id: task.id, status: "complete", result: "done" });
      console.log((await task.result()).result);`;
      expect(await run(program)).toBe("done\n");
    },
  );

  it("ends also when it has given up to wait for another's message, or to work for another", async () => {
    const { url } = await startHub();
    const program = `
      const hub = await connect({ url: "${url}", as: "ada", keep_alive: false });
      const task = await hub.send({ from_claude: "carl", to_claude: "bob", task: "x" });
      await task.result({ timeout_ms: 50 }).catch(({ code }) => console.log(code));
      await hub.work(() => {}, { for: "dora" }).close();`;
    expect(await run(program)).toBe("call_timeout\n");
  });

  it("is kept alive by a call, a result or a worker even so", async () => {
    const { url } = await startHub();
    const ada = await join(url, { as: "ada" });
    const output = run(`
      const hub = await connect({ url: "${url}", as: "bob", keep_alive: false });
      const task = await hub.send({ to_claude: "ada", task: "ping" });
      console.log((await task.result()).result);
      const worker = hub.work(() => { void worker.close(); return "pong"; });
      hub.unref(); hub.ref(); hub.unref();`);
    ada.work(({ task }) => task.toUpperCase());
    const news = new Heard(ada, "completed");
    await news.count(1);
    const task = await ada.send({ to_claude: "bob", task: "x" });
    expect(await task.result()).toMatchObject({ result: "pong" });
    expect(await output).toBe("PING\n");
  });
});

describe("close()", () => {
  it("lets calls be answered that were made before, and none after", async () => {
    const { url } = await startHub();
    const [ada, observer] = [await join(url, { as: "ada" }), await join(url)];
    const sending = ada.chat("bob", "last words");
    const closed = ada.close();
    expect(await sending).toMatchObject({ deduplicated: false });
    await closed;
    await expect(ada.stats()).rejects.toMatchObject({ code: "hub_closed" });
    expect(await ada.close()).toBeUndefined();
    expect((await observer.list({})).count).toBe(1);
  });

  it("acknowledges first what was handed over", async () => {
    const { url } = await startHub();
    const [ada, bob] = [await join(url, { as: "ada" }), await join(url, { as: "bob", receives: true })];
    const delivered = new Heard(ada, "delivered");
    await ada.stats();
    bob.on("new", () => bob.close());
    const { id } = await ada.chat("bob", "hello");
    await delivered.find(({ message }) => message.id === id);
  });

  it("says goodbye: presence knows at once", async () => {
    const { url } = await startHub();
    const [ada, observer] = [await join(url, { as: "ada" }), await join(url)];
    await ada.close();
    expect((await observer.presence()).instances).toMatchObject([{ claude_id: "ada", state: "offline" }]);
  });

  it("ends iterators, and waits for nobody where there is no hub", async () => {
    const { proxy, url } = await startProxied();
    const ada = await join(url, { as: "ada", transport: "websocket" });
    const events = ada.events();
    proxy.faults.refuse = "connections";
    proxy.cut();
    const hopeless = later(ada.stats());
    await ada.close();
    await expect(hopeless).rejects.toMatchObject({ code: "hub_closed" });
    expect(await events.next()).toEqual({ done: true, value: undefined });
    expect(await ada.events().next()).toEqual({ done: true, value: undefined });
  });

  it("may come before the first connection stands", async () => {
    const clock = new ManualClock();
    const joining = later(connect({ url: "http://127.0.0.1:1/api/coord", clock }));
    clock.advance(5_000);
    await expect(joining).rejects.toMatchObject({ code: "hub_unreachable" });
    expect(clock.armed).toBe(0);
  });
});

it("notices that the hub is silent, says so, and comes back", async () => {
  const clock = new ManualClock();
  const { proxy, url } = await startProxied();
  const ada = await join(url, { as: "ada", transport: "websocket", clock });
  const states = new Heard(ada, "state");
  proxy.blackHole();
  clock.advance(LIVENESS.ping_ms + LIVENESS.pong_ms);
  expect(states.all[0]).toMatchObject({ state: "waiting", previous: "online", reason: "the hub was silent" });
  proxy.resume();
  clock.advance(1_000);
  await states.find(({ state }) => state === "online");
});

it("backs off with full jitter, and from the base again after a line that held", async () => {
  const clock = new ManualClock();
  const { proxy, url } = await startProxied();
  const ada = await join(url, { as: "ada", transport: "websocket", clock, random: () => 0.5 });
  const states = new Heard(ada, "state");
  const waits = () => states.all.filter(({ state }) => state === "waiting").map((change) => change.retry_in_ms);
  proxy.faults.refuse = "connections";
  clock.advance(1_000);
  proxy.cut();
  for (let losses = 1; losses <= 4; losses++) {
    await states.find(({ state }) => state === "waiting" && waits().length === losses);
    if (losses === 4) proxy.faults.refuse = undefined;
    clock.advance(10_000);
  }
  expect(waits()).toEqual([250, 500, 1_000, 2_000]);
  await states.find(({ state }) => state === "online");
  clock.advance(5_000);
  proxy.cut();
  await states.find(() => waits().length === 5);
  expect(waits()[4]).toBe(250);
});

it("keeps its run over reconnects, so that claims stay its own", async () => {
  const { proxy, url } = await startProxied();
  const bob: Hub = await join(url, { as: "bob", transport: "websocket" });
  const { id } = await bob.send({ to_claude: "bob", task: "x" });
  const { attempt } = await bob.claim({ id });
  proxy.cut();
  expect(await bob.complete({ id, attempt, result: "still mine" })).toMatchObject({ status: "complete" });
});

it("tells its own version", () => {
  const { version } = createRequire(import.meta.url)("../../../package.json");
  expect(SDK_VERSION).toBe(version);
});

it.each([
  ["a builder", 'about must be an object, as { roles: ["tester"] }'],
  [{ roles: "r1" }, 'about.roles must be an array of roles, as ["tester"]: r1'],
  [{ roles: ["r0", "@r1"] }, 'about.roles takes "@r1" without the @: "r1"'],
])("refuses to tell of itself what nobody can be told: %j", async (about, sentence) => {
  await expect(connect({ as: "ada", about: about as object })).rejects.toThrow(TypeError(sentence));
});

it("refuses options that there are not, by their names", async () => {
  const { url } = await startHub();
  const wrong = { ass: "ada" } as object;
  await expect(async () => connect({ url, ...wrong })).rejects.toThrow(
    TypeError('there is no option ass (did you mean "as"?)'),
  );
  const ada = await join(url, { as: "ada" });
  const options = { concurency: 2 } as object;
  expect(() => ada.work(() => {}, options)).toThrow('there is no option concurency (did you mean "concurrency"?)');
  expect(() => ada.events({ after: "start" } as object)).toThrow(
    TypeError("there is no option after: there is signal"),
  );
});
