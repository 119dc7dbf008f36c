import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";
import { PresenceHistory } from "../../../server/presence/history.ts";

test("what could not be recorded is recorded again, before what came after it", async () => {
  const recorded: string[][] = [];
  const outcomes = [false, true, true];
  const history = new PresenceHistory(async (transitions) => {
    recorded.push(transitions.map(({ state }) => state));
    return outcomes.shift() as boolean;
  });
  for (const state of ["online", "offline"] as const) {
    history.note({ claude_id: "ada", state, at: 0 });
    history.flush();
  }
  await turn();
  history.flush();
  expect(recorded).toEqual([["online"], ["offline"], ["online", "offline"]]);
  await turn();
  history.flush();
  expect(recorded.length).toBe(3);
});
