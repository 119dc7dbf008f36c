/** Compiles every layer, then adds what the compiler does not: migrations, and the files that are bundled. */
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from "node:fs";
import { dirname } from "node:path";
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

async function bundle(options) {
  const common = { absWorkingDir: root, bundle: true, metafile: true, write: false, logLevel: "warning" };
  const { metafile, outputFiles } = await build({ ...common, ...options });
  for (const { path, contents } of outputFiles) replace(path, contents);
  return metafile;
}

/** What starts meanwhile finds a whole file, the one before or this one. */
function replace(path, contents) {
  if (existsSync(path) && readFileSync(path).equals(contents)) return;
  mkdirSync(dirname(path), { recursive: true });
  const unfinished = `${path}.${process.pid}`;
  writeFileSync(unfinished, contents);
  renameSync(unfinished, path);
}

/** What was bundled asks that its licence goes with it. */
function keepLicences(bundles) {
  const files = bundles.flatMap(({ inputs }) => Object.keys(inputs));
  const packages = new Set(files.flatMap((file) => /^.*node_modules\/(@[^/]+\/)?[^/]+(?=\/)/.exec(file)?.[0] ?? []));
  const licences = [...packages].sort().flatMap((folder) =>
    readdirSync(`${root}${folder}`)
      .filter((file) => /^licen[cs]e/i.test(file))
      .map((file) => `${folder.split("node_modules/").at(-1)}\n\n${readFileSync(`${root}${folder}/${file}`, "utf8")}`),
  );
  writeFileSync(`${root}dist/LICENCES.txt`, licences.join(`\n${"-".repeat(80)}\n\n`));
}
