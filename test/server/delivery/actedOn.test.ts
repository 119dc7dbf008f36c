/** Whose turn it is after an event. */
import { expect, test } from "vitest";
import { isActedOn } from "../../../server/delivery/actedOn.ts";
import type { LogEntry } from "../../../server/store/store.ts";
import type { EventKind } from "../../../shared/event.ts";

const entry = (kind: EventKind, to = "worker") => ({ kind, from: "sender", to }) as LogEntry;

const isFor = (kind: EventKind, to?: string) =>
  ["sender", "worker"].filter((reader) => isActedOn([entry(kind, to)], reader));

test.each([
  ["new", ["worker"]],
  ["ready", ["worker"]],
  ["requeued", ["worker"]],
  ["claimed", []],
  ["progress", []],
  ["seen", []],
  ["completed", ["sender"]],
  ["failed", ["sender"]],
  ["cancelled", ["sender", "worker"]],
] as const)("%s: %j", (kind, readers) => {
  expect(isFor(kind)).toEqual(readers);
});

test("who reads as one of a pool, or of everyone, is a recipient", () => {
  expect(isFor("new", "@pool")).toEqual(["worker"]);
  expect(isFor("new", "*")).toEqual(["worker"]);
});

test("who sends to itself is both", () => {
  expect(isActedOn([entry("new", "sender")], "sender")).toBe(true);
  expect(isActedOn([entry("completed", "sender")], "sender")).toBe(true);
});

test("one such event among others is enough; an observer acts on nothing", () => {
  expect(isActedOn([entry("claimed"), entry("completed")], "sender")).toBe(true);
  expect(isActedOn([entry("new"), entry("completed")], null)).toBe(false);
  expect(isActedOn([], "sender")).toBe(false);
});
