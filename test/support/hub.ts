/** A hub inside the test's own process, on a real port, over a real file. */
import { join } from "node:path";
import { type Logger, pino } from "pino";
import { type CreateHubOptions, createHub, type MountedHub } from "../../server/index.ts";
import { BASE_PATH, SOCKET_PATH } from "../../shared/protocol.ts";
import { defer } from "./defer.ts";
import { freePort } from "./ports.ts";
import { tempDir } from "./tempDir.ts";

export interface TestHub {
  hub: MountedHub;
  port: number;
  /** `http://127.0.0.1:PORT` */
  origin: string;
  /** The base of all REST paths. */
  url: string;
  wsUrl: string;
  /** The database file. */
  db: string;
  /** What the hub logged at level warn or above, a JSON line each. */
  logged: string[];
  close(): Promise<void>;
}

/** Starts a hub with these options, by default over a new file on a free port; closed when the test ends. */
export async function startHub({ port, ...options }: CreateHubOptions & { port?: number } = {}): Promise<TestHub> {
  const db = options.db ?? join(tempDir(), "hub.db");
  const logged: string[] = [];
  const hub = await createHub({ logger: logInto(logged), ...options, db });
  defer(() => hub.close());
  const listening = await hub.listen({ host: "127.0.0.1", port: port ?? (await freePort()) });
  const place = `127.0.0.1:${listening.port}`;
  return {
    hub,
    db,
    logged,
    port: listening.port,
    origin: `http://${place}`,
    url: `http://${place}${BASE_PATH}`,
    wsUrl: `ws://${place}${SOCKET_PATH}`,
    close: () => hub.close(),
  };
}

const logInto = (lines: string[]): Logger =>
  pino({ level: "warn" }, { write: (line: string) => void lines.push(line) });
