import { expect, test } from "vitest";
import { ConfigExit, readConfig } from "../../server/config.ts";
import { unknownVariable } from "../../shared/environment.ts";

test("the help tells of the variables that are known, and of no others", () => {
  const told = help().match(/COORDINATION_\w+/g) ?? [];
  const strange = `COORDINATION_${"X".repeat(60)}`;
  const [, ...known] = unknownVariable({ [strange]: "1" })?.match(/COORDINATION_\w+/g) ?? [];
  const ofClients = ["COORDINATION_API_URL", "COORDINATION_TOKEN", "COORDINATION_RUN"];
  expect(new Set([...told, ...ofClients])).toEqual(new Set(known));
});

function help(): string {
  try {
    readConfig({}, ["--help"]);
  } catch (error) {
    if (error instanceof ConfigExit) return error.message;
  }
  throw new Error("there is no help");
}
