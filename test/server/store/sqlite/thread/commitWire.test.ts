/** What crosses between the hub's thread and the database's arrives as it was sent. */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Outcome } from "../../../../../server/store/outcomes.ts";
import {
  decodeCommands,
  decodeResult,
  encodeCommands,
  encodeResult,
} from "../../../../../server/store/sqlite/thread/commitWire.ts";
import type { CommitResult, LogEntry } from "../../../../../server/store/store.ts";
import { EVENT_KINDS } from "../../../../../shared/vocabulary.ts";
import { seed } from "../../../../support/random.ts";
import { sending } from "../../driver.ts";

const text = fc.string({ unit: "binary", maxLength: 20 });
/** Now and then so long that a few of them fill what crosses at once. */
const body = fc.oneof(
  { weight: 9, arbitrary: text },
  { weight: 1, arbitrary: fc.nat(50_000).map((n) => "x".repeat(n)) },
);

const outcome: fc.Arbitrary<Outcome> = fc.oneof(
  fc.record({ ok: fc.constant(true as const), json: fc.option(body) }),
  fc.record({
    ok: fc.constant(true as const),
    json: body,
    deduplicated: fc.boolean(),
    waiting: fc.nat(),
    oldest: fc.option(text),
  }),
  fc.record({
    ok: fc.constant(false as const),
    error: fc.constant({ code: "not_found", message: "x", details: { id: "1" } } as const),
  }),
);

/** An entry's id stands somewhere in its JSON, unless it needs escapes there. */
const entry = fc
  .record({
    kind: fc.constantFrom(...EVENT_KINDS),
    id: text,
    from: text,
    to: text,
    claimable: fc.boolean(),
    bodies: body,
  })
  .map(({ id, bodies, ...rest }) => {
    const head = `{"message":{"id":${JSON.stringify(id)}`;
    return { ...rest, id, json: `${head}${bodies}}}`, bodiesAt: head.length };
  });

const result: fc.Arbitrary<CommitResult> = fc
  .record({
    wakeAt: fc.option(fc.maxSafeNat()),
    outcomes: fc.array(outcome),
    entries: fc.array(entry),
    before: fc.nat(),
  })
  .map(({ before, entries, ...rest }) => ({
    ...rest,
    head: before + entries.length,
    entries: entries.map((one, i): LogEntry => ({ seq: before + 1 + i, ...one })),
  }));

test("results of every shape", () => {
  fc.assert(
    fc.property(result, (sent) => {
      expect(decodeResult(structuredClone(encodeResult(sent)))).toEqual(sent);
    }),
    { seed, numRuns: 500 },
  );
});

test("commands, whatever their text", () => {
  fc.assert(
    fc.property(fc.array(text), (texts) => {
      const commands = texts.map((task) => sending({ to_claude: "worker", task }, "k"));
      expect(decodeCommands(encodeCommands(commands))).toEqual(commands);
    }),
    { seed },
  );
});
