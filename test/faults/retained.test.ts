/** What the hub keeps for its readers does not keep alive what it has said to others. */
import { expect, test } from "vitest";
import { residentBytes } from "../bench/os/proc.ts";
import { HubProcess } from "../support/processes.ts";
import { RawSocket } from "../support/rawSocket.ts";

/** In bytes; each round answers it twice. */
const LARGE = 400_000;
const [WARM, ROUNDS] = [20, 100];

test("a large message that is moved many times leaves only small events behind", async () => {
  const hub = await HubProcess.start({ env: { NODE_OPTIONS: "--max-old-space-size=64" } });
  const socket = await RawSocket.greet(hub.wsUrl, { claude_id: "ada" });
  const said = { to_claude: "bob", task: "long", type: "chat" as const, context: "x".repeat(LARGE) };
  const { id } = (await socket.call("send", said)).message;
  const move = async (rounds: number) => {
    for (let i = 0; i < rounds; i++) {
      for (const status of ["in_progress", "pending"] as const) await socket.call("update", { id, status });
      socket.received.length = 0;
    }
    return residentBytes(hub.pid);
  };
  const warm = await move(WARM);
  expect((await move(ROUNDS)) - warm).toBeLessThan(ROUNDS * LARGE);
});
