import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const dist = new URL("dist/", pathToFileURL(createRequire(import.meta.url).resolve("coordination-hub/package.json")));

/** A program of `dist/bin/`: what starts in a process of its own is always built, even when `coord` runs from its sources. */
export const builtProgram = (name: string) => new URL(`bin/${name}`, dist);
