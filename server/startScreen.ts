/** What a hub says when it listens: only of addresses and commands that work. */
import { resolve } from "node:path";
import { DEFAULT_PORT } from "../shared/defaults.ts";
import { BASE_PATH } from "../shared/protocol.ts";
import type { Config } from "./config.ts";

interface Address {
  readonly host: string;
  readonly port: number;
}

type Shown = Pick<Config, "db" | "open" | "allowHost">;

export const isEverywhere = (host: string) => host === "0.0.0.0" || host === "::";

/** The name under which it is addressed: on every address, other machines use one that is allowed. */
function nameOf({ open, allowHost }: Shown, host: string): string {
  if (isEverywhere(host)) return (open ? allowHost[0] : undefined) ?? "127.0.0.1";
  return host.includes(":") ? `[${host}]` : host;
}

/** For a program: where it listens, where the data is, and which process it is. */
export function startLine(config: Shown, { host, port }: Address, pid: number): string {
  const url = `http://${nameOf(config, host)}:${port}${BASE_PATH}`;
  return `${JSON.stringify({ url, db: resolve(config.db), pid })}\n`;
}

/**
 * For a person: where it listens, where the data is, and what to try next.
 *
 * @param isNew whether the database has just been created, which is how a slip in its name shows.
 */
export function startScreen(config: Shown, { host, port }: Address, isNew: boolean): string {
  const { db, open } = config;
  const name = nameOf(config, host);
  const url = `http://${name}:${port}${BASE_PATH}`;
  const isDefault = port === DEFAULT_PORT && ["127.0.0.1", "[::1]"].includes(name); // which is what localhost is
  const elsewhere = isDefault ? "" : `COORDINATION_API_URL=${url} `;
  return [
    "",
    "  coordination-hub",
    "",
    `  listening   ${url}`,
    `  data        ${resolve(db)}${isNew ? " (a new database)" : ""}`,
    ...(open ? ["", "  OPEN: anyone who reaches this address can read and change everything."] : []),
    ...(isEverywhere(host) && !open ? ["", "  Only this machine is let in: --open lets others in, too."] : []),
    "",
    "  Try it in two other terminals:",
    `    ${elsewhere}npx coord watch --as server_backend`,
    `    ${elsewhere}npx coord chat server_backend "hello" --as windows_frontend`,
    "",
    "",
  ].join("\n");
}
