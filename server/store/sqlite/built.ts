import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const dist = new URL("dist/", pathToFileURL(createRequire(import.meta.url).resolve("coordination-hub/package.json")));

/** A file below `dist/`. Threads always start from the built file, even when the hub runs from its sources. */
export const built = (path: string) => new URL(path, dist);
