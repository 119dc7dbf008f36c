import { defineConfig } from "vitest/config";
import { ClosingLine } from "./test/support/closingLine.ts";

export default defineConfig({
  test: {
    globalSetup: "test/support/build.ts",
    setupFiles: "test/support/endOfFile.ts",
    include: ["test/**/*.test.ts"],
    pool: "forks",
    // Loading everything anew for each file takes a fifth of the whole; each file shows that it leaves nothing.
    isolate: false,
    maxWorkers: 4,
    silent: "passed-only",
    reporters: ["default", new ClosingLine()],
    testTimeout: 20_000,
    hookTimeout: 20_000,
  },
});
