import { expect, it } from "vitest";
import { Holdings } from "../../../../client/sdk/work/holdings.ts";

it("whoever lists what is in progress holds nothing by that", async () => {
  const holdings = new Holdings(() => {});
  await holdings.follow("list", { status: "in_progress" }, Promise.resolve({ messages: [] }));
  await holdings.answered();
  expect(holdings.any).toBe(false);
});
