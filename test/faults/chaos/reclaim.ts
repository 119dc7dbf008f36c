/**
 * How long a task stayed with a run that was no more.
 *
 * The hub owes a task back within the grace time and `SLACK_MS` *from when it could know*, counted while it was awake:
 * what it does not live through it cannot do. It can know
 * - at once, when the run's lines broke, and it lived on for long enough to write that down;
 * - of a run whose lines stayed open, when that has not answered a ping in time;
 * - of a run that may have polled last, when the time between two polls is over;
 * - otherwise when the time is over that every run is given to come back to a new life of the hub: to the one in which it
 *   was lost before it had come back to it, or to the next one, when the hub died before it had written anything down.
 */
import { LIVENESS } from "../../../shared/defaults.ts";
import type { Loss, Run } from "./chaosWorker.ts";
import type { HubLives } from "./hubLives.ts";
import type { Try } from "./tries.ts";

export const SLACK_MS = 2_000;
export const PING_MS = 1_000;

/** How soon it has written down that a line broke. */
const NOTICE_MS = 500;
/** It looks at its connections once a second; tells one that it gives it up, and a look later does so. */
const UNANSWERED_MS = PING_MS + LIVENESS.pong_ms + 3 * 1_000;

const BETWEEN_POLLS_MS = 10_000;
/** Half of the workers poll where they find no socket. */
export const mayPoll = (name: string) => /[02468]$/.test(name);

/** For how long a lost run kept a try, in the sense above; ms. */
export function keptMs(lost: Loss, held: Try, hub: HubLives): number {
  const from = Math.max(held.from, couldKnow(lost, hub) + (mayPoll(held.by) ? BETWEEN_POLLS_MS : 0));
  return hub.awakeMs(from, Math.min(held.to, lost.until));
}

function couldKnow({ at, isSilent, onlineAt }: Loss, hub: HubLives): number {
  const life = hub.lifeAt(at);
  const known = isSilent ? at + UNANSWERED_MS : at;
  if (life.to < known + NOTICE_MS) return hub.restartAfter(at) + LIVENESS.reconnect_spread_ms;
  return onlineAt >= life.from ? known : Math.max(known, life.from + LIVENESS.reconnect_spread_ms);
}

/** Whether a run had a try in hand when it was lost, or was given it while it could do nothing. */
export const held = ({ at, until }: Loss, { from, to }: Try) => from < until && to > at;

/** Which run of its name has made a try. */
export const runOf = (runs: readonly Run[], { by, from }: Try) =>
  runs.findLast((run) => run.name === by && run.from <= from);
