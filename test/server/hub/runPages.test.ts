import { expect, test } from "vitest";
import { Unacknowledged } from "../../../server/delivery/unacknowledged.ts";
import { RunPages } from "../../../server/hub/runPages.ts";

const IDS = 5_000;

function page(run: number): Unacknowledged {
  const unacknowledged = new Unacknowledged();
  const received = Array.from({ length: IDS }, (_, i) => `${run}/${i}`);
  unacknowledged.sent({ upTo: 1, events: IDS, bytes: IDS, received });
  return unacknowledged;
}

test("runs that never acknowledge are forgotten before they take all memory, the longest silent first", () => {
  const runPages = new RunPages();
  for (let run = 0; run < 400; run++) runPages.sends("reader", `${run}`, page(run));
  expect(runPages.resumed("reader", "0", 1)).toEqual([]);
  expect(runPages.resumed("reader", "250", 1)).toEqual([]);
  expect(runPages.resumed("reader", "399", 1)).toHaveLength(IDS);
});

test("what was acknowledged is not counted any more", () => {
  const runPages = new RunPages();
  const pages = Array.from({ length: 400 }, (_, run) => page(run));
  for (const [run, unacknowledged] of pages.entries()) {
    runPages.sends("reader", `${run}`, unacknowledged);
    if (run > 0) expect(unacknowledged.acknowledge(1)).toHaveLength(IDS);
  }
  expect(runPages.resumed("reader", "0", 1)).toHaveLength(IDS);
});
