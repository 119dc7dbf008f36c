import { defineConfig } from "vitest/config";
import { ClosingLine } from "./test/support/closingLine.ts";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: "test/support/build.ts",
    setupFiles: "test/support/leaks.ts",
    pool: "forks", // a process a file: what a native module or a worker thread leaves behind stays in it
    maxWorkers: 3,
    testTimeout: 20_000,
    hookTimeout: 20_000,
    silent: "passed-only",
    reporters: ["default", new ClosingLine()],
  },
});
