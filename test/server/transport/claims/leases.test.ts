/** What becomes of a task whose holder is gone: it comes back, unless its holder does. */
import { once } from "node:events";
import { request } from "node:http";
import { setTimeout } from "node:timers/promises";
import { beforeEach, describe, expect, test } from "vitest";
import { LEASES, LIVENESS } from "../../../../shared/defaults.ts";
import type { Instance } from "../../../../shared/presence.ts";
import type { ManualClock } from "../../../support/clock.ts";
import { defer } from "../../../support/defer.ts";
import { http } from "../../../support/http.ts";
import { Scene } from "./scene.ts";

const { grace_ms: GRACE, detached_ms: DETACHED } = LEASES;
const { reconnect_spread_ms: SPREAD } = LIVENESS;
const [SECOND, HOUR, DAY] = [1_000, 3_600_000, 24 * 3_600_000];

let scene: Scene;
beforeEach(async () => {
  scene = await Scene.start();
});

const claimDetached = (id: string) =>
  http(`${scene.hub.url}/message/${id}`, { method: "PUT", body: { status: "in_progress" } });

describe("a run that listens to server-sent events", () => {
  const headers = { "x-claude-id": "bob", "x-claude-run": "r1" };
  const ask = (path: string, body?: object) =>
    http(`${scene.hub.url}${path}`, { headers, ...(body && { method: "POST", body }) });

  /** Opens a stream that nobody reads. */
  async function listen(): Promise<() => void> {
    const all = { ...headers, accept: "text/event-stream" };
    const stream = request(`${scene.hub.url}/events`, { agent: false, headers: all }).end();
    await once(stream, "response");
    defer(() => void stream.destroy());
    await scene.connections(1);
    return () => stream.destroy();
  }

  test("keeps its task for as long as it asks for something now and then, and no longer: it may hang", async () => {
    const { id } = await scene.send();
    await listen();
    await ask(`/message/${id}/claim`, {});
    for (let i = 0; i < 4; i++) {
      await scene.pass(LIVENESS.fresh_min_ms - 1);
      await ask("/stats");
    }
    expect(await scene.look(id)).toMatchObject({ status: "in_progress", attempt: 1, lease: "kept" });
    await scene.pass(LIVENESS.fresh_min_ms);
    await scene.pass(GRACE);
    await scene.ada.event("requeued", id);
  });

  test("keeps it again when it asks before the lease has run out, and until its stream ends", async () => {
    const { id } = await scene.send();
    const hangUp = await listen();
    await ask(`/message/${id}/claim`, {});
    await scene.pass(LIVENESS.fresh_min_ms);
    expect(await scene.look(id)).toMatchObject({ lease: expect.not.stringMatching("kept") });
    await ask("/stats");
    await scene.committed();
    expect(await scene.look(id)).toMatchObject({ lease: "kept" });
    hangUp();
    await scene.connections(0);
    await scene.pass(GRACE);
    await scene.ada.event("requeued", id);
  });
});

describe("a run that is gone", () => {
  test("loses its task after a while, which rests and is ready again; what it says then is refused", async () => {
    const { id } = await scene.send({ max_attempts: 2 });
    const bob = await scene.worker("r1");
    await bob.call("claim", { id });
    bob.ws.terminate();
    await scene.connections(0);
    await scene.pass(GRACE - 1);
    expect(await scene.look(id)).toMatchObject({ status: "in_progress" });
    await scene.pass(1);
    const requeued = await scene.ada.event("requeued", id);
    expect(requeued.message).toMatchObject({ status: "pending", attempt: 1, tries_left: 1, error: "bob was gone" });
    const rest = Date.parse(requeued.message.not_before as string) - scene.clock.now();
    expect(rest).toBeGreaterThanOrEqual(2_500);
    expect(rest).toBeLessThanOrEqual(5_000);
    await expect(scene.ada.call("claim", { id })).rejects.toMatchObject({ code: "not_ready" });
    const next = (await scene.worker("r2")).call("claim_next", { wait_ms: 50_000 });
    await scene.pass(rest);
    await scene.ada.event("ready", id);
    expect(await next).toMatchObject({ id, attempt: 2, tries_left: 0 });
    const late = await scene.worker("r1");
    await expect(late.call("complete", { id, attempt: 1, result: "late" })).rejects.toMatchObject({
      code: "lease_lost",
    });
  });

  test("keeps its task when it comes back in time, and until then may be slow", async () => {
    const { id } = await scene.send();
    const bob = await scene.worker("r1");
    await bob.call("claim", { id });
    for (let i = 0; i < 3; i++) {
      bob.ws.terminate();
      await scene.connections(0);
      await scene.pass(GRACE - 1_000);
      const back = await scene.worker("r1");
      await scene.pass(2_000); // beyond the first grace
      await back.call("stats", {});
      expect(await scene.look(id)).toMatchObject({ status: "in_progress", attempt: 1 });
      back.ws.terminate();
      await scene.connections(0);
    }
    const back = await scene.worker("r1");
    expect(await back.call("complete", { id, attempt: 1, result: "slow" })).toMatchObject({ status: "complete" });
  });

  test("is gone with its socket, although it polled just before it had one", async () => {
    const { id } = await scene.send();
    const headers = { "x-claude-id": "bob", "x-claude-run": "r1" };
    await http(`${scene.hub.url}/events?for=bob`, { headers });
    const bob = await scene.worker("r1");
    await http(`${scene.hub.url}/events?for=bob`, { headers });
    await bob.call("claim", { id });
    bob.ws.terminate();
    await scene.connections(0);
    await scene.pass(GRACE);
    await scene.ada.event("requeued", id);
  });

  test("is not replaced by another run of its name", async () => {
    const { id } = await scene.send();
    const bob = await scene.worker("r1");
    await bob.call("claim", { id });
    const other = await scene.worker("r2");
    bob.ws.terminate();
    await scene.connections(1);
    await expect(other.call("complete", { id, attempt: 1 })).rejects.toMatchObject({ code: "lease_lost" });
    await scene.pass(GRACE);
    await scene.ada.event("requeued", id);
  });

  test("before its claim was even answered holds it no longer than any other", async () => {
    const { id } = await scene.send();
    const bob = await scene.worker("r1");
    bob.send({ jsonrpc: "2.0", id: "c", method: "claim", params: { id } });
    bob.ws.close();
    await scene.connections(0);
    await scene.ada.event("claimed", id);
    await scene.pass(GRACE);
    await scene.ada.event("requeued", id);
  });

  test("while the hub restarts has the time of a reconnect more", async () => {
    const [kept, lost, detached] = [await scene.send(), await scene.send(), await scene.send()];
    await claimDetached(detached.id);
    const [bob, cyd] = [await scene.worker("r1"), await scene.worker("r2")];
    await bob.call("claim", { id: kept.id });
    await cyd.call("claim", { id: lost.id });
    await scene.hub.close();
    scene.clock.advance(3_600_000);
    scene = await Scene.start({ db: scene.hub.db }, scene.clock);
    await scene.pass(SPREAD + GRACE - 1);
    const back = await scene.worker("r1");
    await back.call("stats", {});
    await scene.pass(1);
    await scene.ada.event("requeued", lost.id);
    for (const { id } of [kept, detached]) expect(await scene.look(id)).toMatchObject({ status: "in_progress" });
    expect(await back.call("complete", { id: kept.id, attempt: 1 })).toMatchObject({ status: "complete" });
  });

  test("or hangs has its time, also in a hub that is quiet and restarted again and again", async () => {
    const { id } = await scene.send({ timeout_ms: 40_000, max_attempts: 1 });
    await claimDetached(id);
    const look = async () => (await http(`${scene.hub.url}/message/${id}`)).body.data.status;
    for (let life = 0; life < 3; life++) {
      for (let second = 0; second < 13; second++) {
        scene.clock.advance(SECOND);
        expect(await look()).toBe("in_progress");
      }
      await scene.hub.close();
      scene = await Scene.start({ db: scene.hub.db }, scene.clock);
    }
    scene.clock.advance(SECOND);
    while ((await look()) !== "failed") await setTimeout(1);
  });

  test("and never was one: a claim without a run lasts half an hour from the last heartbeat of its name", async () => {
    const { id } = await scene.send();
    await scene.ada.close(); // a socket would want its pings
    await claimDetached(id);
    const status = async () => (await http(`${scene.hub.url}/message/${id}`)).body.data.status;
    scene.clock.advance(DETACHED - 1_000);
    await http(`${scene.hub.url}/heartbeat`, { method: "POST", body: { claude_id: "bob" } });
    scene.clock.advance(DETACHED - 1);
    await scene.committed();
    expect(await status()).toBe("in_progress");
    scene.clock.advance(1);
    while ((await status()) !== "pending") await setTimeout(1);
  });
});

describe.each([
  ["whose clock is put forward an hour", (clock) => clock.step(HOUR)],
  ["whose clock is put forward a day", (clock) => clock.step(DAY)],
  ["whose clock is put back an hour", (clock) => clock.step(-HOUR)],
  ["whose clock is put back a day", (clock) => clock.step(-DAY)],
  ["that is stopped for an hour", (clock) => clock.stop(HOUR)],
] satisfies [string, (clock: ManualClock) => void][])("a hub %s", (_, jump) => {
  test("takes nothing from anybody, and lets nothing last longer", async () => {
    const [kept, lost, detached] = [await scene.send(), await scene.send(), await scene.send()];
    const [bob, gone] = [await scene.worker("r1"), await scene.worker("r2")];
    await bob.call("claim", { id: kept.id });
    await gone.call("claim", { id: lost.id });
    await claimDetached(detached.id);
    await http(`${scene.hub.url}/heartbeat`, { method: "POST", body: { claude_id: "dan" } });
    const waiting = bob.call("claim_next", { for_claude: "eve", wait_ms: 50_000 });
    gone.ws.terminate();
    await scene.connections(1);
    await scene.pass(1_000);
    const known = async () =>
      (await scene.ada.call("presence", {})).instances
        .map((one: Instance) => `${one.claude_id} ${one.state} since ${one.since}`)
        .sort();
    const before = await known();
    expect(before).toHaveLength(3);

    jump(scene.clock);
    await scene.pass(GRACE - 3_000);
    for (const { id } of [kept, lost, detached]) expect(await scene.look(id)).toMatchObject({ status: "in_progress" });
    expect(await known()).toEqual(before);
    await scene.pass(3_000);
    await scene.ada.event("requeued", lost.id);
    expect(await scene.look(kept.id)).toMatchObject({ status: "in_progress" });
    const { id } = await scene.send({ to_claude: "eve" });
    expect(await waiting).toMatchObject({ id });

    await scene.pass(3 * 75_000); // dan has beaten once, and no more
    const { instances: later } = await scene.ada.call("presence", { claude_id: "dan" });
    expect(later).toMatchObject([{ state: "stale" }]);
  });
});

test("what a calendar names is due as soon as the clock says so", async () => {
  const later = await scene.send({ not_before: new Date(scene.clock.now() + HOUR).toISOString() });
  scene.clock.step(HOUR);
  await scene.pass(1_000);
  await scene.ada.event("ready", later.id);
});
