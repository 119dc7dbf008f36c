/**
 * The hub is killed with SIGKILL at random moments, again and again, while clients send, claim and complete: every
 * change that it acknowledged is found again, nothing is doubled, and every reader sees one and the same log.
 *
 * `KILLS=200 SEED=… npx vitest run test/faults/killLoop.test.ts` runs it for longer.
 */
import { setTimeout } from "node:timers/promises";
import { expect, test } from "vitest";
import { Heard, join } from "../client/sdk/support.ts";
import { http } from "../support/http.ts";
import { freePort } from "../support/ports.ts";
import { HubProcess } from "../support/processes.ts";
import { seededRandom } from "../support/random.ts";
import { tempDir } from "../support/tempDir.ts";
import { Load } from "./support/load.ts";
import { LogChecker, textOf } from "./support/logChecker.ts";
import { LogReader } from "./support/logReader.ts";

const KILLS = Number(process.env.KILLS ?? 3);
const MOMENTS = ["under load", "while it starts", "while it closes"] as const;
const WORKERS = ["ada", "bob"];
/** Attempts to come back begin soon, and not all at once. */
const SOON = { random: () => 0.02, timeout_ms: 15_000 };

test(
  `${KILLS} kills: what was acknowledged is found again, once, and in one order`,
  async () => {
    const random = seededRandom();
    const place = { port: await freePort(), db: `${tempDir()}/hub.db` };
    let hub = await HubProcess.launch(place);
    const begun = performance.now();
    await hub.ready();
    const startMs = performance.now() - begun;
    const checker = new LogChecker();
    const epoch = await epochOf(hub);

    const load = new Load(random, WORKERS);
    const all = await LogReader.start(hub.wsUrl, { scope: "all" });
    const ofAda = await LogReader.start(hub.wsUrl, { claude_id: "ada", run: "reads" });
    const observer = await join(hub.url, { transport: "websocket", ...SOON });
    const seen = new Heard(observer, "event");
    load.send(await join(hub.url, { as: "sender", ...SOON }), 24);
    load.sendRaw(hub.wsUrl, "raw");
    for (const as of WORKERS) load.work(await join(hub.url, { as, ...SOON }), 12);

    const kill = {
      "under load": () => hub.kill(),
      "while it starts": async () => {
        await hub.kill();
        const stillborn = await HubProcess.launch(place);
        await setTimeout(random.next() * startMs);
        await stillborn.kill();
      },
      "while it closes": async () => {
        void hub.stop();
        await setTimeout(random.int(60));
        await hub.kill();
      },
    };
    const moments = random.shuffle(Array.from({ length: KILLS }, (_, i) => MOMENTS[i % MOMENTS.length] as never));
    let checked = 0;
    for (const moment of moments) {
      await load.acknowledges(100 + random.int(500));
      await kill[moment as (typeof MOMENTS)[number]]();
      const acknowledged = load.acknowledged.slice(checked);
      checked = load.acknowledged.length;
      hub = await HubProcess.launch(place);
      await hub.ready();
      await checker.readOn(hub.url);
      expect(checker.missing(acknowledged), `acknowledged before a kill ${moment}, and lost`).toEqual([]);
      expect(checker.broken).toEqual([]);
      expect(await epochOf(hub)).toBe(epoch);
    }

    await load.finish(() => checker.isWorkedOff(hub.url));
    await checker.readOn(hub.url);
    expect(checker.broken).toEqual([]);
    expect(checker.missing(load.acknowledged)).toEqual([]);
    expect(await checker.differences(hub.url)).toEqual([]);
    await all.reaches(checker.cursor);
    expect(textOf(all.events)).toBe(textOf(checker.events));
    await ofAda.counts(checker.seenBy("ada").length);
    expect(textOf(ofAda.events)).toBe(textOf(checker.seenBy("ada")));
    await seen.find(({ seq }) => seq === checker.events.length);
    expect(textOf(seen.all)).toBe(textOf(checker.events));
    expect(all.broken.concat(ofAda.broken)).toEqual([]);
    expect(all.welcomes.length).toBeGreaterThanOrEqual(KILLS);
  },
  30_000 + KILLS * 6_000,
);

const epochOf = async ({ url }: HubProcess) => (await http(url)).body.data.epoch as string;
