/** Compiles every layer, then adds what the compiler does not: migrations, and the files that are bundled. */
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL(".", import.meta.url));
const dist = join(root, "dist");

try {
  execFileSync(process.execPath, ["node_modules/typescript/bin/tsc", "-b"], { cwd: root, stdio: "inherit" });
} catch {
  process.exit(1); // the compiler has said why
}
removeOrphans();

const MIGRATIONS = join(root, "server/store/sqlite/migrations");
fill(
  "migrations",
  readdirSync(MIGRATIONS).map((file) => [file, readFileSync(join(MIGRATIONS, file))]),
);

const browser = await bundle({
  entryPoints: { coordination: "client/sdk/index.ts" },
  minify: true,
  format: "esm",
  platform: "browser",
});
fill("browser", browser.files);

// What is started as a process or a thread is one file each: it starts in half the time. What has files of its own beside
// its code, or is rarely needed, is loaded from where it is.
const STARTED = { platform: "node", target: "node20" };
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
fill("bin", [...programs.files, ...threads.files]);
chmodSync(join(dist, "bin/coord.mjs"), 0o755);

keepLicences([...browser.inputs, ...programs.inputs, ...threads.inputs]);

/** What the compiler made of sources that are gone. */
function removeOrphans() {
  for (const file of readdirSync(dist, { recursive: true })) {
    const [, source] = /^((?:server|client|shared|test)\/.*)\.(?:js|d\.ts)$/.exec(file) ?? [];
    if (source !== undefined && !existsSync(join(root, `${source}.ts`))) rmSync(join(dist, file));
  }
}

/** @returns the files, and what went into them. */
async function bundle(options) {
  const { metafile, outputFiles } = await build({
    absWorkingDir: root,
    bundle: true,
    metafile: true,
    write: false,
    outdir: dist,
    plugins: [{ name: "only English", setup: onlyEnglish }],
    logLevel: "warning",
    ...options,
  });
  return {
    files: outputFiles.map(({ path, contents }) => [basename(path), contents]),
    inputs: Object.keys(metafile.inputs),
  };
}

/** The validator's sentences in fifty other languages are half of the browser's bundle, and nobody asks for them. */
function onlyEnglish({ onLoad }) {
  onLoad({ filter: /\/zod\/v4\/locales\/index\.js$/ }, () => ({
    contents: 'export { default as en } from "./en.js";',
  }));
}

/** Makes a folder of `dist/` hold these files and no others. What starts meanwhile finds each of them whole. */
function fill(name, files) {
  const folder = join(dist, name);
  mkdirSync(folder, { recursive: true });
  for (const [file, contents] of files) replace(join(folder, file), contents);
  const names = new Set(files.map(([file]) => file));
  for (const file of readdirSync(folder)) if (!names.has(file)) rmSync(join(folder, file), { force: true });
}

function replace(path, contents) {
  if (existsSync(path) && readFileSync(path).equals(contents)) return;
  const unfinished = join(dist, `${process.pid}-${basename(path)}`);
  writeFileSync(unfinished, contents);
  renameSync(unfinished, path);
}

/** What was bundled asks that its licence goes with it. */
function keepLicences(inputs) {
  const packages = new Set(inputs.flatMap((file) => /^.*node_modules\/(@[^/]+\/)?[^/]+(?=\/)/.exec(file)?.[0] ?? []));
  const licences = [...packages].sort().flatMap((folder) =>
    readdirSync(join(root, folder))
      .filter((file) => /^licen[cs]e/i.test(file))
      .map((file) => `${folder.split("node_modules/").at(-1)}\n\n${readFileSync(join(root, folder, file), "utf8")}`),
  );
  writeFileSync(join(dist, "LICENCES.txt"), licences.join(`\n${"-".repeat(80)}\n\n`));
}
