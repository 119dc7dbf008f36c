import { defineConfig } from "vitest/config";
import { ClosingLine } from "./test/support/closingLine.ts";

/** Tests that start no hub, no thread and no process: one process serves them all. */
const PURE = [
  "test/shared/**/*.test.ts",
  "test/{docs/docs,mutations/mutations}.test.ts",
  "test/client/sdk/{backoff,connectionStates,frames,progressReports,rest,timetable}.test.ts",
  "test/server/clock.test.ts",
  "test/server/core/**/*.test.ts",
  "test/server/delivery/{handOver,pruned}.test.ts",
  "test/server/hub/{pruner,rates,schedules/recurrence}.test.ts",
  "test/server/presence/instances.test.ts",
  "test/server/store/{groupCommit,memoryStore,messageJson,schedules,sqlite/commitWire}.test.ts",
];

export default defineConfig({
  test: {
    globalSetup: "test/support/build.ts",
    maxWorkers: 3,
    silent: "passed-only",
    reporters: ["default", new ClosingLine()],
    projects: [
      { extends: true, test: { ...common(), name: "pure", include: PURE, isolate: false } },
      { extends: true, test: { ...common(), name: "whole", include: ["test/**/*.test.ts"], exclude: PURE } },
    ],
  },
});

function common() {
  return {
    setupFiles: "test/support/leaks.ts",
    pool: "forks", // a process a file: what a native module or a worker thread leaves behind stays in it
    testTimeout: 20_000,
    hookTimeout: 20_000,
  } as const;
}
