/** nats-server, with JetStream on files or without. */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { accepts, freePort } from "../../support/ports.ts";
import { Missing, requireCommand } from "../os/missing.ts";
import type { Workplace } from "../os/workplace.ts";
import { launch, type Server } from "./server.ts";

/** `default` syncs every two minutes, `always` before each acknowledgement, `off` is NATS without JetStream. */
export type Sync = "off" | "default" | "always";

const COMMAND = "nats-server";

export async function startNats(workplace: Workplace, sync: Sync): Promise<Server> {
  requireCommand(COMMAND);
  const folder = workplace.folder("nats");
  const port = await freePort();
  const configuration = join(folder, "nats.conf");
  writeFileSync(configuration, jetStream(folder, sync));
  return launch(workplace, {
    command: COMMAND,
    args: ["--addr", "127.0.0.1", "--port", String(port), "--config", configuration],
    port,
    folder,
    isReady: () => accepts(port),
  });
}

function jetStream(folder: string, sync: Sync): string {
  if (sync === "off") return "";
  return `jetstream { store_dir: "${folder}", ${sync === "always" ? syncAlways(folder) : ""} }`;
}

/** Since 2.10 it is an option; before, the file system is asked to make each write to this folder a synchronous one. */
function syncAlways(folder: string): string {
  if (hasSyncInterval()) return "sync_interval: always";
  try {
    execFileSync("chattr", ["+S", folder], { stdio: "ignore" });
    return "";
  } catch {
    throw new Missing(`${COMMAND} is older than 2.10, and the file system refuses chattr +S`);
  }
}

function hasSyncInterval(): boolean {
  const version = /v(\d+)\.(\d+)/.exec(execFileSync(COMMAND, ["--version"], { encoding: "utf8" }));
  return Number(version?.[1]) > 2 || Number(version?.[2]) >= 10;
}
