/** Compiles every layer, then adds what the compiler does not: migrations, and the files that are bundled. */
import { execFileSync } from "node:child_process";
import { chmodSync, cpSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL(".", import.meta.url));

try {
  execFileSync(process.execPath, ["node_modules/typescript/bin/tsc", "-b"], { cwd: root, stdio: "inherit" });
} catch {
  process.exit(1); // the compiler has said why
}
cpSync(`${root}server/store/sqlite/migrations`, `${root}dist/migrations`, { recursive: true });

const browser = await bundle({
  entryPoints: { coordination: "client/sdk/index.ts" },
  outdir: "dist/browser",
  minify: true,
  format: "esm",
  platform: "browser",
});

// What is started as a process or a thread is one file each: it starts in half the time. What has files of its own beside
// its code, or is rarely needed, is loaded from where it is.
const STARTED = { outdir: "dist/bin", platform: "node", target: "node20" };
const APART = ["ajv", "better-sqlite3", "better-sqlite3-13", "pino", "pino-pretty", "bufferutil", "utf-8-validate"];

const programs = await bundle({
  ...STARTED,
  entryPoints: {
    coord: "client/cli/main.ts",
    demoWorker: "client/cli/demo/worker.ts",
    hub: "server/main.ts",
    backup: "server/backup.ts",
  },
  format: "esm",
  outExtension: { ".js": ".mjs" },
  external: APART,
  banner: {
    js: 'import { createRequire as requireOf } from "node:module"; const require = requireOf(import.meta.url);',
  },
});
chmodSync(`${root}dist/bin/coord.mjs`, 0o755);

const threads = await bundle({
  ...STARTED,
  entryPoints: {
    databaseThread: "server/store/sqlite/thread/databaseWorker.ts",
    backupThread: "server/store/sqlite/thread/backupWorker.ts",
  },
  format: "cjs",
  outExtension: { ".js": ".cjs" },
  external: [...APART, "zod"],
  define: { "import.meta.url": "moduleUrl" },
  banner: { js: 'const moduleUrl = require("node:url").pathToFileURL(__filename).href;' },
});

keepLicences([browser, programs, threads]);

function bundle(options) {
  return build({ absWorkingDir: root, bundle: true, metafile: true, logLevel: "warning", ...options });
}

/** What was bundled asks that its licence goes with it. */
function keepLicences(bundles) {
  const inputs = bundles.flatMap(({ metafile }) => Object.keys(metafile.inputs));
  const packages = new Set(inputs.flatMap((input) => /^.*node_modules\/(@[^/]+\/)?[^/]+(?=\/)/.exec(input)?.[0] ?? []));
  const licences = [...packages].sort().flatMap((folder) =>
    readdirSync(`${root}${folder}`)
      .filter((file) => /^licen[cs]e/i.test(file))
      .map((file) => `${folder.split("node_modules/").at(-1)}\n\n${readFileSync(`${root}${folder}/${file}`, "utf8")}`),
  );
  writeFileSync(`${root}dist/LICENCES.txt`, licences.join(`\n${"-".repeat(80)}\n\n`));
}
