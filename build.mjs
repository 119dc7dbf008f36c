/** Compiles every layer, then adds what the compiler does not: migrations, the executable bit, the browser bundle. */
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
cpSync(`${root}server/store/sqlite/file/migrations`, `${root}dist/server/store/sqlite/file/migrations`, {
  recursive: true,
});
if (existsSync(`${root}dist/client/cli/main.js`)) chmodSync(`${root}dist/client/cli/main.js`, 0o755);
await build({
  absWorkingDir: root,
  entryPoints: ["client/sdk/index.ts"],
  bundle: true,
  minify: true,
  format: "esm",
  platform: "browser",
  outfile: "dist/browser/coordination.js",
  logLevel: "warning",
});
