import { expect, it } from "vitest";
import { withKey } from "../../../../client/sdk/calls/methods.ts";

it.each([
  ["send", "idempotency_key"],
  ["claim", "claim_key"],
  ["claim_next", "claim_key"],
] as const)("%s has a key of its own unless it is given one: undefined is none", (operation, key) => {
  for (const given of [{}, { [key]: undefined }]) {
    expect(withKey(operation, given)).toEqual({ [key]: expect.stringMatching(/./) });
  }
  expect(withKey(operation, { [key]: "mine" })).toEqual({ [key]: "mine" });
  expect(withKey("stats", {})).toEqual({});
});

it("nothing that a caller gives is lost on the way to the hub, which refuses it", () => {
  const given = JSON.parse('{"__proto__":{"wait_ms":50}}');
  expect(Object.keys(withKey("claim_next", given))).toContain("__proto__");
});
