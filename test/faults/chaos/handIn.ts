/** Hands tasks in, each twice under one key over two lines, and keeps what it was told. */
import { setTimeout } from "node:timers/promises";
import { insist } from "../../../client/sdk/calls/insist.ts";
import { systemClock } from "../../../client/sdk/clock.ts";
import type { Hub } from "../../../client/sdk/index.ts";
import { later } from "../../client/sdk/support.ts";
import type { Random } from "../../support/random.ts";
import type { Acknowledged } from "../support/logChecker.ts";

interface Work {
  tasks: number;
  /** Over how long they come, evenly. */
  overMs: number;
  /** How long each takes at most, ms. */
  longestMs: number;
  /** Whose they are, in turn. */
  to: readonly string[];
  /** Ends it. */
  signal: AbortSignal;
}

/** @returns what the hub acknowledged, when it has acknowledged all. */
export async function handIn(lines: readonly Hub[], random: Random, work: Work): Promise<Acknowledged[]> {
  const told: Promise<Acknowledged[]>[] = [];
  for (let n = 0; n < work.tasks; n++) {
    const said = {
      to_claude: work.to[n % work.to.length] as string,
      task: `task-${n}`,
      context: `${random.int(work.longestMs)}`,
    };
    told.push(later(Promise.all(lines.map((line) => send(line, said)))));
    await setTimeout(work.overMs / work.tasks, undefined, { signal: work.signal });
  }
  return (await Promise.all(told)).flat();
}

async function send(line: Hub, said: { to_claude: string; task: string; context: string }): Promise<Acknowledged> {
  const tries = { max_attempts: 100, backoff_ms: 0, idempotency_key: said.task };
  const caller = { clock: systemClock, call: line.call.bind(line) as never };
  const { message } = await insist(caller, "send", { ...said, ...tries });
  return { kind: "new", id: message.id, text: said.task };
}
