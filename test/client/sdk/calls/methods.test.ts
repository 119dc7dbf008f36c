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
