/**
 * Plants a bug into the built hub while it is loaded, in all its threads, so that a checker can be seen to catch it.
 * The files on disk stay as they are.
 */
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { defer } from "../../support/defer.ts";
import { tempDir } from "../../support/tempDir.ts";

export interface Bug {
  /** The end of the built file's path. */
  file: string;
  /** Text of that file, and what to put in its place. */
  replace: readonly (readonly [text: string, by: string])[];
}

/** What the database's thread loads: one file. */
export const DATABASE_THREAD = "/bin/databaseThread.cjs";

/**
 * @returns the environment for a hub that has the bug; one whose text is not to be found does not start.
 * @throws Error when the test ends and no hub has loaded the file.
 */
export function plant(bug: Bug): Record<string, string> {
  const folder = tempDir();
  const planted = join(folder, "planted");
  const hook = join(folder, "plant.cjs");
  const spoil = spoilOf({ ...bug, planted });
  writeFileSync(hook, bug.file.endsWith(".cjs") ? compileHook(spoil) : loadHook(spoil));
  defer(() => {
    if (!existsSync(planted)) throw new Error(`no hub has loaded ${bug.file}`);
  });
  return { NODE_OPTIONS: `--require ${hook}` };
}

/** Code of `spoil(name, source)`, which gives the source of the module with the bug, when it is the one. */
const spoilOf = (bug: Bug & { planted: string }) => `
  const { file, replace, planted } = ${JSON.stringify(bug)};
  const PLANTED = "/* planted */";
  function spoil(name, source) {
    if (!name.endsWith(file) || source.endsWith(PLANTED)) return source; // every thread has these hooks
    for (const [text, by] of replace) {
      if (!source.includes(text)) throw new Error(file + " does not hold: " + text);
      source = source.replace(text, () => by);
    }
    writeFileSync(planted, "");
    return source + PLANTED;
  }`;

const compileHook = (spoil: string) => `
  const Module = require("node:module");
  const { writeFileSync } = require("node:fs");
  ${spoil}
  const { _compile } = Module.prototype;
  Module.prototype._compile = function (source, name, ...rest) {
    return _compile.call(this, spoil(name, source), name, ...rest);
  };`;

const loadHook = (spoil: string) => `
  require("node:module").register("data:text/javascript,${encodeURIComponent(`
    import { writeFileSync } from "node:fs";
    ${spoil}
    export async function load(url, context, next) {
      const loaded = await next(url, context);
      return loaded.source ? { ...loaded, source: spoil(url, Buffer.from(loaded.source).toString()) } : loaded;
    }`).replaceAll("'", "%27")}");`;
