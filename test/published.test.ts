/** The package as it is published: everything that starts or is imported works with nothing but its own dependencies. */
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { freePort } from "./support/ports.ts";
import { repository } from "./support/repository.ts";
import { tempDir } from "./support/tempDir.ts";

const { dependencies, optionalDependencies } = JSON.parse(readFileSync(`${repository}package.json`, "utf8"));

/** A folder in which the package is installed. */
function installed(): string {
  const folder = tempDir();
  const modules = join(folder, "node_modules");
  mkdirSync(modules);
  const [{ filename }] = JSON.parse(
    execFileSync("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", folder], {
      cwd: repository,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }),
  );
  execFileSync("tar", ["-xf", filename], { cwd: folder });
  renameSync(join(folder, "package"), join(modules, "coordination-hub"));
  for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(`${repository}node_modules/${name}`, join(modules, name));
  }
  return folder;
}

/** Starts a hub by the command, has a message sent by the command and read by the SDK, and copies the database. */
const PROGRAM = `
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "coordination-hub";
import { createHub } from "coordination-hub/server";
import { getPendingTasks } from "coordination-hub/coordinationClient";

const [port, bin] = process.argv.slice(2);
const url = \`http://127.0.0.1:\${port}/api/coord\`;
const coord = (...args) => execFileSync(process.execPath, [bin, ...args, "--json"], { encoding: "utf8" });
const hub = spawn(process.execPath, [bin, "hub", "--port", port, "--db", "hub.db", "--log-level", "silent"]);
process.on("exit", () => hub.kill());
await once(hub.stdout, "data");
coord("send", "bob", "published", "--as", "ada", "--url", url);
const bob = await connect({ as: "bob", url });
const { messages: [{ task }] } = await bob.list({ to_claude: "bob" });
await bob.close();
coord("backup", "copy.db", "--db", "hub.db");
hub.kill();
await once(hub, "close");
await (await createHub({ db: "copy.db" })).close();
console.log(task, typeof getPendingTasks);
`;

test("it holds all that it needs, and all that its documents name", async () => {
  const folder = installed();
  const root = join(folder, "node_modules/coordination-hub");
  const { bin } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  writeFileSync(join(folder, "program.mjs"), PROGRAM);
  const args = ["program.mjs", `${await freePort()}`, join(root, bin.coord)];
  expect(execFileSync(process.execPath, args, { cwd: folder, encoding: "utf8" })).toBe("published function\n");

  const links = [...readFileSync(join(root, "README.md"), "utf8").matchAll(/\]\((?!http|#)([^)#]+)/g)];
  expect(links.length).toBeGreaterThan(3);
  for (const [, link] of links) expect(() => readFileSync(join(root, link as string)), link).not.toThrow();
  expect(readFileSync(join(root, "dist/LICENCES.txt"), "utf8")).toContain("zod");
});
