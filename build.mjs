/** Compiles every layer, then adds what the compiler does not: migrations, the executable bit, the bundles. */
import { execFileSync } from "node:child_process";
import { chmodSync, cpSync, existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL(".", import.meta.url));

try {
  execFileSync(process.execPath, ["node_modules/typescript/bin/tsc", "-b"], { cwd: root, stdio: "inherit" });
} catch {
  process.exit(1); // the compiler has said why
}
cpSync(`${root}server/store/sqlite/migrations`, `${root}dist/server/store/sqlite/migrations`, { recursive: true });
if (existsSync(`${root}dist/client/cli/main.js`)) chmodSync(`${root}dist/client/cli/main.js`, 0o755);
await bundle({
  entryPoints: ["client/sdk/index.ts"],
  minify: true,
  format: "esm",
  platform: "browser",
  outfile: "dist/browser/coordination.js",
});
// Threads start in half the time from one file each. What they rarely need is loaded when they do.
await bundle({
  entryPoints: ["server/store/sqlite/thread/databaseWorker.ts", "server/store/sqlite/thread/backupWorker.ts"],
  format: "cjs",
  platform: "node",
  target: "node20",
  external: ["ajv", "better-sqlite3", "better-sqlite3-13", "zod"],
  define: { "import.meta.url": "moduleUrl" },
  banner: { js: 'const moduleUrl = require("node:url").pathToFileURL(__filename).href;' },
  outdir: "dist/server/store/sqlite/thread",
  outExtension: { ".js": ".cjs" },
});

function bundle(options) {
  return build({ absWorkingDir: root, bundle: true, logLevel: "warning", ...options });
}
