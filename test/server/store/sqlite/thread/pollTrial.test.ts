/** Waits are polled for where that makes them shorter, and this is found out again when it changes. */
import { expect, test } from "vitest";
import { PollTrial } from "../../../../../server/store/sqlite/thread/pollTrial.ts";
import { seededRandom } from "../../../../support/random.ts";

/** A wait's milliseconds, with polling and without. */
type Machine = (polls: boolean) => number;

const MANY = 10_000;
/** The waits after which a change must have been noticed. */
const SOON = 1_000;

/** Waits so often. @returns the share that was polled for. */
function share(trial: PollTrial, machine: Machine, waits = MANY): number {
  let polled = 0;
  for (let i = 0; i < waits; i++) {
    const { polls } = trial;
    if (polls) polled++;
    trial.took(machine(polls));
  }
  return polled / waits;
}

/**
 * Waits that differ by up to a half either way, on a machine that becomes up to three times slower and faster again, and of
 * which one in a hundred takes as long as a disk may.
 */
function noisy(withPolling: number, without: number): Machine {
  const { next } = seededRandom(7);
  let i = 0;
  return (polls) => {
    const slowness = 2 + Math.sin(i++ / 500);
    return next() < 0.01 ? 50 : (polls ? withPolling : without) * slowness * (0.5 + next());
  };
}

const idle = () => noisy(0.15, 0.2);
const busy = () => noisy(0.7, 0.25);
const slowDisk = (): Machine => () => 200;

test("where a core is free nearly all waits are polled for", () => {
  expect(share(new PollTrial(), idle())).toBeGreaterThan(0.9);
});

test("where others need the cores only trials are", () => {
  expect(share(new PollTrial(), busy())).toBeLessThan(0.1);
});

test("where polling changes nothing it is left", () => {
  expect(share(new PollTrial(), slowDisk())).toBeLessThan(0.1);
});

test("polling ends soon after others need the cores", () => {
  const trial = new PollTrial();
  share(trial, idle());
  share(trial, busy(), SOON);
  expect(share(trial, busy())).toBeLessThan(0.1);
});

test("and begins again once they are free, however bad it was", () => {
  const trial = new PollTrial();
  share(trial, (polls) => (polls ? 2 : 0.02));
  share(trial, idle(), MANY / 2);
  expect(share(trial, idle())).toBeGreaterThan(0.9);
});
