/** The heartbeat: at once, again and again, until it is stopped. */
import { text } from "node:stream/consumers";
import { setImmediate } from "node:timers/promises";
import { afterEach, expect, test, vi } from "vitest";
import { startHeartbeat, stopHeartbeat } from "../../../client/coordinationClient/index.ts";
import { http } from "../../support/http.ts";
import { startHub } from "../../support/hub.ts";
import { Program } from "./program.ts";
import { become, claimElsewhere, post, read, serve } from "./support.ts";

afterEach(() => {
  stopHeartbeat();
  vi.unstubAllEnvs();
});

interface Beats {
  url: string;
  /** Resolves when so many came. @returns all that came. */
  until(count: number): Promise<object[]>;
}

/** Somebody who counts beats. */
async function countBeats(answer = '{"success":true,"timestamp":"","claude_id":""}'): Promise<Beats> {
  const beats: object[] = [];
  const looks = new Set<() => void>();
  const url = await serve((request, response) => {
    void text(request).then((body) => {
      beats.push({ path: request.url, ...JSON.parse(body) });
      response.end(answer);
      for (const look of looks) look();
    });
  });
  const until = (count: number) =>
    new Promise<object[]>((resolve) => {
      const look = () => beats.length >= count && resolve(beats);
      looks.add(look);
      look();
    });
  return { url, until };
}

test("beats at once and then every interval, telling when the next one is to be expected", async () => {
  const beats = await countBeats();
  become(beats.url, "ada");
  startHeartbeat("server_backend", 20);
  const beat = { path: "/heartbeat", claude_id: "server_backend", interval_ms: 20 };
  expect((await beats.until(3)).slice(0, 3)).toEqual([beat, beat, beat]);
});

test("by default it is of CLAUDE_ID, every 30 seconds", async () => {
  const beats = await countBeats();
  become(beats.url, "ada");
  startHeartbeat();
  expect(await beats.until(1)).toEqual([{ path: "/heartbeat", claude_id: "ada", interval_ms: 30_000 }]);
  become(beats.url);
  expect(() => startHeartbeat()).toThrow("CLAUDE_ID is not set");
});

test("another one replaces it", async () => {
  const beats = await countBeats();
  become(beats.url);
  startHeartbeat("ada", 10);
  await beats.until(1);
  startHeartbeat("bob", 10);
  const all = await beats.until(8);
  expect(all.slice(3)).toEqual(all.slice(3).map(() => expect.objectContaining({ claude_id: "bob" })));
});

test("an interval that no timer can wait for is refused", () => {
  for (const interval of [0, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31]) {
    expect(() => startHeartbeat("ada", interval)).toThrow(RangeError);
  }
});

test("makes the instance online, and keeps what it has claimed", async () => {
  const hub = await startHub();
  become(hub.url, "server_backend");
  const id = await post(hub.url, { task: "1" });
  await claimElsewhere(hub.url, id, "server_backend");
  const { lease_until } = await read(hub.url, id);
  startHeartbeat(undefined, 5);
  await expect.poll(async () => (await read(hub.url, id)).lease_until).not.toBe(lease_until);
  const { body } = await http(`${hub.url}/presence/server_backend`);
  expect(body.data.instances).toMatchObject([{ claude_id: "server_backend", state: "online" }]);
});

test("keeps a process alive until it is stopped, hub or no hub", async () => {
  const code = `
    import { startHeartbeat, stopHeartbeat } from './coordinationClient';
    process.on('SIGTERM', () => stopHeartbeat());
    startHeartbeat('server_backend', 20);`;
  const beats = await countBeats();
  const program = Program.start(code, { env: { COORDINATION_API_URL: beats.url } });
  await beats.until(3);
  expect(program.isRunning).toBe(true);
  program.kill("SIGTERM");
  expect(await program.exited).toEqual({ code: 0, signal: null });
  const deaf = Program.start(`${code}\nsetTimeout(() => { console.log('alive'); stopHeartbeat(); }, 100);`, {
    env: { COORDINATION_API_URL: "http://127.0.0.1:1" },
  });
  expect([await deaf.exited, deaf.stdout, deaf.stderr]).toEqual([{ code: 0, signal: null }, "alive\n", ""]);
});

test("a beat that is refused is told once, as a warning", async () => {
  const warnings: string[] = [];
  const hear = ({ message }: Error) => void warnings.push(message);
  process.on("warning", hear);
  const beats = await countBeats('{"success":false,"error":"claude_id is no name","code":"invalid_params"}');
  become(beats.url);
  startHeartbeat("not a name", 5);
  await beats.until(5);
  become("localhost:3000");
  startHeartbeat("ada", 5);
  while (warnings.length < 2) await setImmediate();
  process.off("warning", hear);
  expect(warnings).toEqual([
    "the heartbeat of not a name was refused: claude_id is no name",
    expect.stringMatching(/^the heartbeat of ada was refused: url must begin with/),
  ]);
});
