/** Builds once before all tests, because what runs in another thread or process is always the built file. */
import { execFileSync } from "node:child_process";
import type { TestProject } from "vitest/node";
import { repository } from "./repository.ts";

const build = () => void execFileSync("npm", ["run", "--silent", "build"], { cwd: repository, stdio: "inherit" });

export default function setup(project: TestProject): void {
  build();
  project.onTestsRerun(build);
}
