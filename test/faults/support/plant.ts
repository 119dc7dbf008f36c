/**
 * Plants a bug into the built hub while it is loaded, in all its threads, so that a checker can be seen to catch it.
 * The files on disk stay as they are.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { tempDir } from "../../support/tempDir.ts";

export interface Bug {
  /** The end of the built file's path. */
  file: string;
  /** Text of that file, and what to put in its place. */
  replace: readonly (readonly [text: string, by: string])[];
}

/** @returns the environment for a hub that has the bug; one whose text is not to be found does not start. */
export function plant(bug: Bug): Record<string, string> {
  const hook = join(tempDir(), "plant.mjs");
  writeFileSync(hook, `import { register } from "node:module";\nregister(${JSON.stringify(hooks(bug))});\n`);
  return { NODE_OPTIONS: `--import ${pathToFileURL(hook)}` };
}

const hooks = (bug: Bug) =>
  `data:text/javascript,${encodeURIComponent(`
  const { file, replace } = ${JSON.stringify(bug)};
  const PLANTED = "/* planted */";
  export async function load(url, context, next) {
    const loaded = await next(url, context);
    if (!url.endsWith(file)) return loaded;
    let source = Buffer.from(loaded.source).toString();
    if (source.endsWith(PLANTED)) return loaded; // every thread registers these hooks
    for (const [text, by] of replace) {
      if (!source.includes(text)) throw new Error(file + " does not hold: " + text);
      source = source.replace(text, () => by);
    }
    return { ...loaded, source: source + PLANTED };
  }`)}`;
