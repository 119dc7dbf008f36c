/** The hub as people start it: closed to other machines unless they say otherwise, and a screen that says what to try next. */
import { describe, expect, test } from "vitest";
import { elsewhere } from "../support/elsewhere.ts";
import { HubProcess } from "../support/processes.ts";
import { requiresThat } from "../support/requires.ts";
import { ask, get } from "./transport/raw.ts";

const WIDELY = ["--host", "0.0.0.0", "--log-level", "silent"];
/** The screen comes when the hub listens, and may be read a moment after its first answer. */
const SOON = { timeout: 10_000 };

/** What another machine is answered that uses this name. */
async function fromElsewhere({ port }: HubProcess, host: string): Promise<[status: number, code: string | undefined]> {
  const { status, body } = await ask(port, get("/api/coord/stats", `Host: ${host}`), "", elsewhere);
  return [status, body.code];
}

describe("a hub that listens on every address", () => {
  requiresThat(elsewhere !== undefined, "needs an address that is not loopback");

  test("is for its own machine alone, and says so", async () => {
    const hub = await HubProcess.start({ args: WIDELY });
    for (const host of ["localhost", `${elsewhere}`])
      expect(await fromElsewhere(hub, host)).toEqual([403, "tokens_required"]);
    await expect
      .poll(() => hub.output, SOON)
      .toBe(`
  coordination-hub

  listening   ${hub.url}
  data        ${hub.db} (a new database)

  Only this machine is let in: --open lets others in, too.

  Try it in two other terminals:
    COORDINATION_API_URL=${hub.url} npx coord watch --as server_backend
    COORDINATION_API_URL=${hub.url} npx coord chat server_backend "hello" --as windows_frontend

`);
  });

  test("and was opened lets others in by an allowed name, and says so", async () => {
    const hub = await HubProcess.start({ args: [...WIDELY, "--open", "--allow-host", "my-server"] });
    expect(await fromElsewhere(hub, "my-server")).toEqual([200, undefined]);
    expect(await fromElsewhere(hub, "evil.com")).toEqual([403, "forbidden_host"]);
    const url = `http://my-server:${hub.port}/api/coord`;
    await expect
      .poll(() => hub.output, SOON)
      .toBe(`
  coordination-hub

  listening   ${url}
  data        ${hub.db} (a new database)

  OPEN: anyone who reaches this address can read and change everything.

  Try it in two other terminals:
    COORDINATION_API_URL=${url} npx coord watch --as server_backend
    COORDINATION_API_URL=${url} npx coord chat server_backend "hello" --as windows_frontend

`);
  });
});
