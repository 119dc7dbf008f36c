import { fork } from "node:child_process";
import { once } from "node:events";
import { constants } from "node:os";
import { command } from "../parsing/command.ts";
import type { Input } from "../parsing/inputs.ts";
import { builtProgram } from "../process/builtProgram.ts";
import { EXIT_CODES } from "../process/exitCodes.ts";

const rest: Input<string[] | undefined> = { usage: "[options...]", help: "The hub's own options: `coord hub --help`." };

export const hub = command({
  name: "hub",
  summary: "Run the hub.",
  inputs: { rest },
  passesThrough: true,
  examples: [
    ["hub", "on 127.0.0.1:3000, data in data/coordination.db"],
    ["hub --port 4000 --db /var/lib/coord.db", "elsewhere"],
    ["hub --json", "where it listens and where the data is, for a program, on the first line"],
  ],
  async run({ interrupted, print }, { rest = [] }) {
    const child = fork(builtProgram("hub.mjs"), print.json ? [...rest, "--json"] : rest, { stdio: "inherit" });
    // A terminal sends Ctrl-C to the hub, too: SIGTERM asks for the same end without counting as a second Ctrl-C.
    const end = () => child.kill("SIGTERM");
    if (interrupted.aborted) end();
    interrupted.addEventListener("abort", end);
    const [code, signal] = (await once(child, "exit")) as Exit;
    interrupted.removeEventListener("abort", end);
    if (code !== null) return code;
    const wasStarting = interrupted.aborted && (signal === "SIGTERM" || signal === "SIGINT");
    return wasStarting ? EXIT_CODES.ok.code : 128 + constants.signals[signal];
  },
});

type Exit = [code: number, signal: null] | [code: null, signal: NodeJS.Signals];
