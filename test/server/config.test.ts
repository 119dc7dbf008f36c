import { expect, test } from "vitest";
import { ConfigExit, readConfig } from "../../server/config.ts";
import { unknownVariable } from "../../shared/environment.ts";

test("the help tells of the variables that are known, and of no others", () => {
  const told = variables();
  const strange = `COORDINATION_${"X".repeat(60)}`;
  const [, ...known] = unknownVariable({ [strange]: "1" })?.match(/COORDINATION_\w+/g) ?? [];
  const ofClients = ["COORDINATION_API_URL", "COORDINATION_TOKEN", "COORDINATION_RUN"];
  expect(new Set([...told, ...ofClients])).toEqual(new Set(known));
});

test("an empty variable is one that is not set, whatever the setting", () => {
  const empty = Object.fromEntries([...variables(), "PORT"].map((name) => [name, ""]));
  expect(readConfig(empty, [])).toEqual(readConfig({}, []));
  expect(readConfig({ COORDINATION_PORT: "", PORT: "4000" }, [])).toMatchObject({ port: 4000 });
});

test.each([
  ["--port", ""],
  ["--lease-grace-ms", " "],
  ["--db", ""],
  ["--db", " "],
  ["--host", "\t"],
  ["--log-level", ""],
  ["--max-size", ""],
])("%s %j is refused, and not taken for a number or a name", (flag, value) => {
  expect(refusal([`${flag}=${value}`])).toContain(`): ${JSON.stringify(value)} must not be empty`);
});

test.each([
  ["--detached-lease-ms", "8640000000000000", "must be at most 3155760000000"],
  ["--lease-grace-ms", "1e18", "must be at most 3155760000000"],
  ["--ping-ms", "9007199254740991", "must be at most 3155760000000"],
  ["--keep-complete", "999999999999d", "must be a duration with its unit, as 30d, 12h or 90m, up to 100 years"],
  ["--max-size", `${"9".repeat(400)}tb`, "must be a size with its unit, as 500mb or 2gb"],
])("%s %s is refused: no deadline could be written, no size reached", (flag, value, sentence) => {
  expect(refusal([flag, value])).toContain(`"${value}" ${sentence}`);
});

test.each(["my-server:3000", "http://my-server", "*", "MY-SERVER.", "", "a,b", "[::1]"])(
  "--allow-host %j is refused: no request names a host so",
  (name) => {
    const said = `--allow-host (COORDINATION_ALLOW_HOST): ["${name}"] must be host names without scheme and port, as my-server`;
    expect(refusal([`--allow-host=${name}`])).toBe(said);
  },
);

test("hosts are allowed by name or address, several at once", () => {
  const names = ["My-Server", "hub.example", "a_b.c-1", "192.168.0.1", "fe80::1"];
  expect(readConfig({ COORDINATION_ALLOW_HOST: names.join(", ") }, []).allowHost).toEqual(names);
  expect(readConfig({}, ["--allow-host", ...names]).allowHost).toEqual(names);
});

test("a variable that holds blanks is refused: nobody leaves one so", () => {
  expect(refusal([], { COORDINATION_RATE: " " })).toBe('--rate (COORDINATION_RATE): " " must not be empty');
});

const help = () => refusal(["--help"]);
const variables = () => help().match(/COORDINATION_\w+/g) ?? [];

/** What the person is told. */
function refusal(argv: readonly string[], env: Record<string, string> = {}): string {
  try {
    readConfig(env, argv);
  } catch (error) {
    if (error instanceof ConfigExit) return error.message;
  }
  throw new Error("nothing is refused");
}
