/** redis-server with its append-only file, under BullMQ. */

import { accepts, freePort } from "../../support/ports.ts";
import { requireCommand } from "../os/missing.ts";
import type { Workplace } from "../os/workplace.ts";
import { launch, type Server } from "./server.ts";

export type AppendFsync = "always" | "everysec";

const COMMAND = "redis-server";

export async function startRedis(workplace: Workplace, appendFsync: AppendFsync): Promise<Server> {
  requireCommand(COMMAND);
  const folder = workplace.folder("redis");
  const port = await freePort();
  const flags = { bind: "127.0.0.1", port, dir: folder, save: "", appendonly: "yes", appendfsync: appendFsync };
  return launch(workplace, {
    command: COMMAND,
    args: Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, String(value)]),
    port,
    folder,
    isReady: () => accepts(port),
  });
}
