/** The hub under measurement: the built program, in its own process, as `npm start` runs it. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort } from "../../support/ports.ts";
import { Missing } from "../os/missing.ts";
import type { StartOptions, Workplace } from "../os/workplace.ts";
import { launch, type Server } from "./server.ts";

export interface HubOptions extends StartOptions {
  /** Flags for Node itself. */
  nodeArgs?: string[];
  /** Folder that holds the database of an earlier hub. */
  folder?: string;
}

const PROGRAM = fileURLToPath(new URL("../../../bin/hub.mjs", import.meta.url));
const DATABASE = "coordination.db";

export const databaseOf = (folder: string) => join(folder, DATABASE);

export async function startHub(workplace: Workplace, options: HubOptions = {}): Promise<Server> {
  if (!existsSync(PROGRAM)) throw new Missing(`the hub is not built (${PROGRAM})`);
  const { nodeArgs = [], folder = workplace.folder("hub"), env = {}, ipc = false } = options;
  const port = await freePort();
  return launch(workplace, {
    command: process.execPath,
    args: [...nodeArgs, PROGRAM],
    env: { ...env, COORDINATION_PORT: String(port), COORDINATION_DB: databaseOf(folder) },
    ipc,
    port,
    folder,
    isReady: () => answersOk(`http://127.0.0.1:${port}/readyz`),
  });
}

async function answersOk(url: string): Promise<boolean> {
  try {
    const response = await fetch(url);
    await response.arrayBuffer();
    return response.ok;
  } catch {
    return false;
  }
}
