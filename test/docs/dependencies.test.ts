/** What the program needs when it runs is installed with it, and ARCHITECTURE.md says why. */
import { readdirSync, readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { join } from "node:path";
import { expect, test } from "vitest";
import { repository } from "../support/repository.ts";

const { dependencies, optionalDependencies } = JSON.parse(readFileSync(`${repository}package.json`, "utf8"));

/** Packages that the sources of a folder load at run time. */
function packagesIn(folder: string): string[] {
  const files = readdirSync(join(repository, folder), { recursive: true, encoding: "utf8" });
  const sources = files.filter((file) => file.endsWith(".ts")).map((file) => join(repository, folder, file));
  return sources.flatMap((file) => {
    const imports = readFileSync(file, "utf8").matchAll(/^(?:import|export) (?!type )[^;]*?from "([^.][^"]*)"/gm);
    return [...imports].map(([, name]) => name as string);
  });
}

const nameOf = (specifier: string) => /^(@[^/]+\/)?[^/]+/.exec(specifier)?.[0] as string;

test("every package that is loaded is a dependency", () => {
  const loaded = ["server", "client", "shared"].flatMap(packagesIn).filter((name) => !isBuiltin(name));
  expect(loaded.length).toBeGreaterThan(20);
  for (const name of new Set(loaded.map(nameOf))) expect(Object.keys(dependencies)).toContain(name);
});

test("every dependency has its reason in ARCHITECTURE.md", () => {
  const architecture = readFileSync(`${repository}ARCHITECTURE.md`, "utf8");
  for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) expect(architecture).toContain(name);
});
