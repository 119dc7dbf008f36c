/** The layers that ARCHITECTURE.md tells of are enforced: each forbidden import is planted, and noticed by `npm run check`. */
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { repository } from "../support/repository.ts";
import { tempDir } from "../support/tempDir.ts";

/** Where nothing may be imported of what. */
const FORBIDDEN: [folder: string, modules: string[]][] = [
  ["shared", ["uuid", "ws", "node:fs", "node:process"]],
  ["shared/operations", ["express", "node:crypto"]],
  ["server", ["coordination-hub", "coordination-hub/server", "node:process"]],
  ["server/core", ["../store/store.ts", "../clock.ts", "zod", "node:fs"]],
  ["server/store", ["./sqlite/sqliteStore.ts", "better-sqlite3", "../hub/hub.ts", "node:process"]],
  ["server/store/engine", ["../sqlite/sqliteStore.ts", "../../transport/guard.ts", "../../hub/hub.ts"]],
  ["server/store/engine/templates", ["../../sqlite/rows.ts", "../../../presence/presence.ts"]],
  ["server/store/json", ["../sqlite/rows.ts", "../../delivery/delivery.ts"]],
  ["server/store/sqlite", ["../../hub/hub.ts", "../../transport/guard.ts", "node:process"]],
  ["server/delivery", ["../hub/hub.ts", "../store/engine/engine.ts", "../store/sqlite/rows.ts", "better-sqlite3"]],
  ["server/presence", ["../transport/guard.ts", "../store/engine/engine.ts"]],
  ["server/hub", ["../transport/guard.ts", "../store/engine/engine.ts", "../store/sqlite/rows.ts"]],
  ["server/hub/operations", ["../../transport/guard.ts", "../../store/sqlite/rows.ts", "better-sqlite3"]],
  ["server/transport", ["better-sqlite3", "../store/engine/engine.ts", "../store/sqlite/rows.ts"]],
  ["server/transport/http", ["../../store/engine/engine.ts", "../../store/sqlite/rows.ts", "../../store/store.ts"]],
  ["client/sdk", ["node:fs", "express", "coordination-hub"]],
  ["client/sdk/rest", ["node:http", "commander"]],
];

/** What stands in a file by itself, not as an import. */
const GLOBALS = { "server/hub": "process.pid", "shared/operations": "process.env", "client/sdk/work": "process.env" };

test("Biome notices each forbidden import and use of the process", () => {
  const folder = tempDir();
  copyFileSync(`${repository}biome.json`, join(folder, "biome.json"));
  symlinkSync(`${repository}node_modules`, join(folder, "node_modules"));
  const plant = (file: string, text: string) => {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), text);
    return file;
  };
  const planted = [
    ...FORBIDDEN.flatMap(([layer, modules]) =>
      modules.map((module, i) => plant(`${layer}/planted${i}.ts`, `export * from "${module}";\n`)),
    ),
    ...Object.entries(GLOBALS).map(([layer, use]) => plant(`${layer}/global.ts`, `export const it = ${use};\n`)),
  ];
  expect(complaintsIn(folder)).toEqual(planted.toSorted());
});

/** The files in which a restricted import or global was found. */
function complaintsIn(folder: string): string[] {
  const rules = ["noRestrictedImports", "noRestrictedGlobals"].map((rule) => `--only=style/${rule}`);
  const args = ["lint", ...rules, "--vcs-enabled=false", "--reporter=json", "--max-diagnostics=none"];
  const { stdout, stderr } = spawnSync(`${repository}node_modules/.bin/biome`, args, { cwd: folder, encoding: "utf8" });
  if (stdout === "") throw new Error(stderr);
  const { diagnostics } = JSON.parse(stdout) as { diagnostics: { location: { path: string } }[] };
  return [...new Set(diagnostics.map(({ location }) => location.path))].toSorted();
}
