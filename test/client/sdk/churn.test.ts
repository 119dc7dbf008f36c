import { memoryUsage } from "node:process";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, it } from "vitest";
import { ChurnMap, ChurnSet } from "../../../client/sdk/churn.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as (options?: { type: "minor" }) => void;

it("offers what a map does", () => {
  const map = new ChurnMap<string, number>();
  for (const [i, key] of ["a", "b", "c", "a"].entries()) map.set(key, i);
  map.delete("b");
  map.delete("nothing");
  expect([...map.values()]).toEqual([3, 2]);
  expect([map.size, map.get("a"), map.get("b"), map.has("a"), map.has("b")]).toEqual([2, 3, undefined, true, false]);
  map.clear();
  expect([map.size, map.has("a"), [...map.values()]]).toEqual([0, false, []]);
});

it("leaves out of what it goes through what is deleted meanwhile, and goes through what comes", () => {
  const map = new ChurnMap<number, number>();
  for (let i = 0; i < 4; i++) map.set(i, i);
  const seen: number[] = [];
  for (const value of map.values()) {
    seen.push(value);
    map.delete(value + 1);
    if (value < 4) map.set(value + 10, value + 10);
  }
  expect(seen).toEqual([0, 2, 10, 12]);
});

it("takes out of a set the very thing that was added, once", () => {
  const set = new ChurnSet<string>();
  const [first, second] = [set.add("same"), set.add("same")];
  first();
  first();
  expect([set.size, ...set]).toEqual([1, "same"]);
  second();
  expect([...set]).toEqual([]);
});

/** What is still in memory after as many entries as that came and went, found by young collections only; in bytes. */
function leftBehind(map: Map<number, object> | ChurnMap<number, object>): number {
  const [underWay, turns] = [1_000, 10];
  const turn = () => {
    for (let key = 0; key < underWay; key++) map.set(key, new Array(100).fill(key));
    for (let key = 0; key < underWay; key++) map.delete(key);
  };
  turn();
  collect();
  collect(); // what the map is made of is old by now
  const before = memoryUsage().heapUsed;
  for (let i = 0; i < turns; i++) {
    turn();
    collect({ type: "minor" });
  }
  return memoryUsage().heapUsed - before;
}

it("does not hold what has gone, however old it is itself", () => {
  const most = (map: () => Parameters<typeof leftBehind>[0]) => Math.max(...[map(), map(), map()].map(leftBehind));
  expect(most(() => new Map())).toBeGreaterThan(3 * most(() => new ChurnMap()));
});
